/**
 * {@code switchyard experiment}: the findings of Wortsman et al. 2023, looked for on the user's own
 * machine. Read from the top down:
 *
 * <ul>
 *   <li>{@link dev.switchyard.bench.experiment.ExperimentCommand} runs one {@code Experiment} by
 *       its name and writes its findings as a {@linkplain dev.switchyard.bench.page page} and as
 *       comma-separated values. {@code KeptParts} are what it goes on with if it was interrupted.
 *   <li>The experiments: {@code PrecisionsExperiment}, {@code LayerScaleExperiment}, {@code
 *       SpikesExperiment}, {@code NoiseExperiment} and {@code InstabilityExperiment}, each with the
 *       question it asks and the criterion by which it answers.
 *   <li>Those that train do so with a {@code WatchedTraining} of a {@code SmallTransformer}, which
 *       keeps what {@code Measurements} its monitor makes.
 * </ul>
 */
package dev.switchyard.bench.experiment;
