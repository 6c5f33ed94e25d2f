/**
 * Layers made of others. Read from the top down:
 *
 * <ul>
 *   <li>{@link dev.switchyard.layers.block.Sequential}, layers one after the other.
 *   <li>{@link dev.switchyard.layers.block.Transformer}, blocks one after the other, each a {@link
 *       dev.switchyard.layers.block.TransformerBlock} as {@link
 *       dev.switchyard.layers.block.BlockOptions} say. It and {@link
 *       dev.switchyard.layers.block.PostNormBlock} are a {@link
 *       dev.switchyard.layers.block.ResidualBlock} of two halves: attention, and a {@link
 *       dev.switchyard.layers.block.FeedForward} part.
 *   <li>{@link dev.switchyard.layers.block.Dropout} and {@link
 *       dev.switchyard.layers.block.StochasticDepth} leave out elements and halves of blocks at
 *       random while training.
 * </ul>
 */
package dev.switchyard.layers.block;
