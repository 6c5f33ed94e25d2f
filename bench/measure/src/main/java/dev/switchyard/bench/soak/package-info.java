/**
 * {@code switchyard soak}: trains random models for as long as one likes, with faults, and checks
 * all that they compute. {@link dev.switchyard.bench.soak.SoakCommand} draws one {@code SoakCase}
 * after the other; a case without a {@code Fault} is a {@code ReferenceCheck}, one with a fault a
 * {@code FaultyTraining}, in a process of its own if the fault could harm this one.
 */
package dev.switchyard.bench.soak;
