/**
 * Conditional adapters (CoDA, Lei et al. 2023): pretrained layers that compute a few tokens of each
 * sequence alone. Read from the top down:
 *
 * <ul>
 *   <li>A {@link dev.switchyard.layers.coda.ConditionalAdapter} wraps a block of a transformer, as
 *       {@link dev.switchyard.layers.coda.CodaOptions} say: {@link
 *       dev.switchyard.layers.coda.HeavyAttention}, {@link dev.switchyard.layers.coda.Gate}. All
 *       tokens pass its {@link dev.switchyard.layers.coda.ParallelAdapter}.
 *   <li>A {@link dev.switchyard.layers.coda.Router} chooses, one of a {@link
 *       dev.switchyard.layers.coda.RouterKind}: {@link dev.switchyard.layers.coda.LearnedRouter} or
 *       {@link dev.switchyard.layers.coda.FixedRouter}. It returns a {@link
 *       dev.switchyard.layers.coda.Routing} of a {@link dev.switchyard.layers.coda.Selection}, and
 *       keeps {@link dev.switchyard.layers.coda.RouterStatistics}.
 *   <li>{@link dev.switchyard.layers.coda.TopKWeights} are what makes a choice learnable: {@link
 *       dev.switchyard.layers.coda.SoftTopK}, whose temperature follows an {@link
 *       dev.switchyard.layers.coda.EpsSchedule}, and {@link
 *       dev.switchyard.layers.coda.SigmoidWeights}.
 *   <li>An {@link dev.switchyard.layers.coda.AdapterFile} keeps what was learned, apart from the
 *       model that was adapted.
 * </ul>
 *
 * <p>Layers, routers and their statistics are for use by one thread at a time; options, schedules
 * and weights of a choice are immutable and thread-safe.
 */
package dev.switchyard.layers.coda;
