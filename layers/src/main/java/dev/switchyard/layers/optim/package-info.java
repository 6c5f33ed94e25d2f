/**
 * How parameters are updated. Read from the top down:
 *
 * <ul>
 *   <li>An {@link dev.switchyard.layers.optim.Optimizer}: {@link
 *       dev.switchyard.layers.optim.StableAdamW}, {@link dev.switchyard.layers.optim.AdamW} or
 *       {@link dev.switchyard.layers.optim.Sgd}, over {@link
 *       dev.switchyard.layers.optim.ParameterGroup}s, with a {@link
 *       dev.switchyard.layers.optim.MomentState} to keep. Its kernels say what to do about
 *       gradients that are not {@linkplain dev.switchyard.layers.optim.FiniteGradients finite}.
 *   <li>What goes with it: {@link dev.switchyard.layers.optim.Schedule} for the learning rate,
 *       {@link dev.switchyard.layers.optim.GradientClipping}.
 *   <li>{@link dev.switchyard.layers.optim.StabilityMonitor} watches the updates, each a {@link
 *       dev.switchyard.layers.optim.Measurement}, for {@link
 *       dev.switchyard.layers.optim.MeasurementLines} to write down; {@link
 *       dev.switchyard.layers.optim.LossSpikes} the loss.
 * </ul>
 *
 * <p>All of it is for use by one thread, the one that trains, but for settings and schedules, which
 * are immutable and thread-safe.
 */
package dev.switchyard.layers.optim;
