/**
 * Commands in several processes of {@code mpirun}: {@link dev.switchyard.bench.processes.Processes}
 * joins them, {@link dev.switchyard.bench.processes.Sharing} says how they share a training, and
 * {@link dev.switchyard.bench.processes.SharedSteps} makes its steps, also where there is one
 * process alone.
 */
package dev.switchyard.bench.processes;
