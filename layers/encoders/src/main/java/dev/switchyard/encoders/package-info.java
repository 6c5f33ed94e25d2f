/**
 * Pretrained encoders of the BERT family, an add-on to the layers. Read from the top down:
 *
 * <ul>
 *   <li>A {@link dev.switchyard.encoders.SentenceEncoder} turns texts into embeddings.
 *   <li>A {@link dev.switchyard.encoders.BertEncoder} turns the ids of tokens into hidden states,
 *       for inference and for training; its {@link dev.switchyard.encoders.BertShape} says how
 *       large it is.
 *   <li>A {@link dev.switchyard.encoders.ConditionalEncoder} adapts one to a task and computes a
 *       few tokens of each text alone, see {@link dev.switchyard.layers.coda}.
 *   <li>{@link dev.switchyard.encoders.WordPieceTokenizer} turns text into the ids of tokens.
 *   <li>A {@link dev.switchyard.encoders.ModelFileException} says what is wrong with a model's
 *       file.
 * </ul>
 */
package dev.switchyard.encoders;
