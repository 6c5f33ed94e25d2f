/**
 * Layers that train in int8 and in floating point. Read from the top down:
 *
 * <ul>
 *   <li>{@link dev.switchyard.layers.Tape} records, {@link dev.switchyard.layers.Node} by node,
 *       what layers do to a {@link dev.switchyard.layers.Tensor} and goes back through it, adding
 *       to the gradients of each {@link dev.switchyard.layers.Parameter}; a {@link
 *       dev.switchyard.layers.Profile} says where the time goes.
 *   <li>{@link dev.switchyard.layers.Linear} is where int8 pays: its {@link
 *       dev.switchyard.layers.Precision} says in which numbers it multiplies. {@link
 *       dev.switchyard.layers.Precisions} convert all of a {@link dev.switchyard.layers.Model} as a
 *       {@link dev.switchyard.layers.PrecisionPolicy} says, with a {@link
 *       dev.switchyard.layers.Conversion} to look at and to undo, or a {@link
 *       dev.switchyard.layers.Release} of the weights for inference.
 *   <li>The other parts of a transformer. Those that treat each token for itself, a {@link
 *       dev.switchyard.layers.Layer}: {@link dev.switchyard.layers.LayerNorm}, {@link
 *       dev.switchyard.layers.Gelu}, {@link dev.switchyard.layers.LayerScale}, {@link
 *       dev.switchyard.layers.Dropout}, {@link dev.switchyard.layers.FeedForward}. Those that look
 *       at sequences, a {@link dev.switchyard.layers.SequenceLayer}: {@link
 *       dev.switchyard.layers.SelfAttention}, {@link dev.switchyard.layers.StochasticDepth}, {@link
 *       dev.switchyard.layers.PostNormBlock}, {@link dev.switchyard.layers.TransformerBlock}, made
 *       as {@link dev.switchyard.layers.BlockOptions} say, both of them a {@link
 *       dev.switchyard.layers.ResidualBlock} of two halves, and {@link
 *       dev.switchyard.layers.Transformer}, many of them; {@link dev.switchyard.layers.Recomputed}
 *       trades time for memory.
 *   <li>The ends of a model: {@link dev.switchyard.layers.PatchEmbedding}, {@link
 *       dev.switchyard.layers.TokenEmbedding}, {@link dev.switchyard.layers.Positions}, {@link
 *       dev.switchyard.layers.Pooling}, {@link dev.switchyard.layers.SequenceHead}, {@link
 *       dev.switchyard.layers.L2Normalization}; and the losses, {@link
 *       dev.switchyard.layers.CrossEntropy}, {@link dev.switchyard.layers.ContrastiveLoss} and
 *       {@link dev.switchyard.layers.MeanSquaredError}.
 *   <li>Whole models: {@link dev.switchyard.layers.VisionTransformer} and {@link
 *       dev.switchyard.layers.TextTransformer}.
 * </ul>
 *
 * <p>Layers and models, and the tapes, tensors and parameters that go with them, are for use by one
 * thread at a time unless they say otherwise; the kernels divide the work of each call among their
 * own threads. Enums, and records such as {@link dev.switchyard.layers.BlockOptions} and {@link
 * dev.switchyard.layers.PrecisionPolicy}, are immutable and thread-safe.
 */
package dev.switchyard.layers;
