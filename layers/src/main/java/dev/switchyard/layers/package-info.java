/**
 * Layers that train in int8 and in floating point. Read from the top down:
 *
 * <ul>
 *   <li>{@link dev.switchyard.layers.Tape} records what layers do to a {@link
 *       dev.switchyard.layers.Tensor} and goes back through it, adding to the gradients of each
 *       {@link dev.switchyard.layers.Parameter}; a {@link dev.switchyard.layers.Profile} says where
 *       the time goes.
 *   <li>{@link dev.switchyard.layers.Linear} is where int8 pays: its {@link
 *       dev.switchyard.layers.Precision} says in which numbers it multiplies.
 *   <li>The other parts of a transformer. Those that treat each token for itself, a {@link
 *       dev.switchyard.layers.Layer}: {@link dev.switchyard.layers.LayerNorm}, {@link
 *       dev.switchyard.layers.Gelu}, {@link dev.switchyard.layers.LayerScale}, {@link
 *       dev.switchyard.layers.FeedForward}. Those that look at sequences, a {@link
 *       dev.switchyard.layers.SequenceLayer}: {@link dev.switchyard.layers.SelfAttention}, {@link
 *       dev.switchyard.layers.TransformerBlock}, {@link dev.switchyard.layers.PostNormBlock},
 *       {@link dev.switchyard.layers.MeanPool}.
 *   <li>The ends of a model: {@link dev.switchyard.layers.PatchEmbedding}, {@link
 *       dev.switchyard.layers.TokenEmbedding}, {@link dev.switchyard.layers.ClassificationHead},
 *       {@link dev.switchyard.layers.CrossEntropy}.
 * </ul>
 */
package dev.switchyard.layers;
