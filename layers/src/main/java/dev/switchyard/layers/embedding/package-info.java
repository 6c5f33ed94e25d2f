/**
 * Where a model begins: {@link dev.switchyard.layers.embedding.TokenEmbedding} looks up vectors of
 * token ids, {@link dev.switchyard.layers.embedding.PatchEmbedding} makes tokens of images of an
 * {@link dev.switchyard.layers.embedding.ImageShape}, and {@link
 * dev.switchyard.layers.embedding.Positions} say where in its sequence a token is.
 */
package dev.switchyard.layers.embedding;
