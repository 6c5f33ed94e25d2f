/**
 * Whole models, made of embedding, blocks and a head: {@link
 * dev.switchyard.layers.model.VisionTransformer} and {@link
 * dev.switchyard.layers.model.TextTransformer}. A {@link dev.switchyard.layers.model.SequenceHead}
 * sees the tokens of a sequence through a {@link dev.switchyard.layers.model.Pooling}.
 */
package dev.switchyard.layers.model;
