/**
 * Layers that keep activations in a range: {@link dev.switchyard.layers.norm.LayerNorm} or {@link
 * dev.switchyard.layers.norm.RmsNorm} before or behind the parts of a block, {@link
 * dev.switchyard.layers.norm.LayerScale} on what they add, {@link
 * dev.switchyard.layers.norm.L2Normalization} on an embedding.
 */
package dev.switchyard.layers.norm;
