/**
 * Layers that train in int8 and in floating point. Read from the top down:
 *
 * <ul>
 *   <li>{@link dev.switchyard.layers.Tape} records, {@link dev.switchyard.layers.Node} by node,
 *       what layers do to a {@link dev.switchyard.layers.Tensor} and goes back through it, adding
 *       to the gradients of each {@link dev.switchyard.layers.Parameter}; a {@link
 *       dev.switchyard.layers.Profile} says where the time goes.
 *   <li>A {@link dev.switchyard.layers.Model} is what has parameters: a {@link
 *       dev.switchyard.layers.Layer} treats each token for itself, a {@link
 *       dev.switchyard.layers.SequenceLayer} looks at sequences. {@link
 *       dev.switchyard.layers.Tensors} multiplies tensors and puts them side by side; {@link
 *       dev.switchyard.layers.Recomputed} trades time for memory.
 *   <li>{@link dev.switchyard.layers.Linear} is where int8 pays: its {@link
 *       dev.switchyard.layers.Precision} says in which numbers it multiplies, or {@link
 *       dev.switchyard.layers.LinearProducts} of one's own. {@link
 *       dev.switchyard.layers.Precisions} convert all of a model as a {@link
 *       dev.switchyard.layers.PrecisionPolicy} says, with a {@link
 *       dev.switchyard.layers.Conversion} to look at and to undo, or a {@link
 *       dev.switchyard.layers.Release} of the weights for inference.
 * </ul>
 *
 * <p>The other layers use nothing but what is public here, so that a layer of a user's own can do
 * all that they do: {@code activation}, {@code norm}, {@code embedding}, {@code attention} and
 * {@code loss}, each for itself; {@code block} is made of them, {@code model} of blocks, and {@code
 * coda} wraps a block. {@code optim} updates parameters, {@code io} keeps them in files, and {@code
 * training} has a loop around all.
 *
 * <p>Layers and models, and the tapes, tensors and parameters that go with them, are for use by one
 * thread at a time unless they say otherwise; the kernels divide the work of each call among their
 * own threads. Enums, and records such as {@link dev.switchyard.layers.PrecisionPolicy}, are
 * immutable and thread-safe.
 */
package dev.switchyard.layers;
