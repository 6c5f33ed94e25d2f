package dev.switchyard.encoders;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.L2Normalization;
import dev.switchyard.layers.Pooling;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Embeddings of texts, as sentence-transformers computes them (Reimers and Gurevych 2019): the mean
 * of the hidden states of a text's tokens, divided by its length. The dot product of two embeddings
 * is their cosine.
 *
 * <p>Texts are taken in batches of about so many tokens and in the order of their length, so that
 * those computed together take about as long each. The linear layers run in the encoder's
 * precision; of those in int8, {@code SWITCHBACK_OUTLIERS} is closest to float32 and {@code
 * SWITCHBACK_Q} comes next, since a single scale for all of a weight costs pretrained encoders
 * much. The encoder must not be used by others meanwhile.
 *
 * <p>Thread-safe: texts are cut into tokens by the threads that ask; one batch at a time is
 * computed, by all threads of the kernels.
 */
public final class SentenceEncoder {
  /** Enough rows for products at full speed, few enough for states to stay in the caches. */
  private static final int TOKENS_A_BATCH = 1024;

  private final WordPieceTokenizer tokenizer;
  private final TokenEncoder encoder;
  private final int maxTokens;
  private final L2Normalization unit = new L2Normalization();
  private final Tape tape; // guarded by this

  /**
   * An encoder that cuts texts to as many tokens as there are positions.
   *
   * @param tokenizer makes the tokens
   * @param encoder makes hidden states of them
   * @param kernels what computes
   * @throws IllegalArgumentException if the tokenizer has tokens that the encoder has not
   */
  public SentenceEncoder(WordPieceTokenizer tokenizer, TokenEncoder encoder, Kernels kernels) {
    this(tokenizer, encoder, kernels, encoder.shape().positions());
  }

  /**
   * An encoder that cuts texts to a number of tokens.
   *
   * @param tokenizer makes the tokens
   * @param encoder makes hidden states of them
   * @param kernels what computes
   * @param maxTokens of a text, with those that begin and end it; what follows is ignored
   * @throws IllegalArgumentException if the tokenizer has tokens that the encoder has not, or
   *     maxTokens leaves no room or is more than the positions
   */
  public SentenceEncoder(
      WordPieceTokenizer tokenizer, TokenEncoder encoder, Kernels kernels, int maxTokens) {
    if (tokenizer.vocabularySize() > encoder.shape().vocabulary()) {
      throw new IllegalArgumentException(
          "the tokenizer has "
              + tokenizer.vocabularySize()
              + " tokens but the encoder embeds "
              + encoder.shape().vocabulary()
              + " (expected as many or more)");
    }
    if (maxTokens > encoder.shape().positions()) {
      throw new IllegalArgumentException(
          "maxTokens is "
              + maxTokens
              + " (expected at most "
              + encoder.shape().positions()
              + ", the positions of the model)");
    }
    tokenizer.encode("", maxTokens); // refuses what leaves no room
    this.tokenizer = tokenizer;
    this.encoder = encoder;
    this.maxTokens = maxTokens;
    tape = Tape.inference(kernels);
  }

  /**
   * How many elements an embedding has.
   *
   * @return the features of the encoder
   */
  public int features() {
    return encoder.shape().features();
  }

  /**
   * How many tokens of a text are looked at.
   *
   * @param text any text
   * @return their number, with those that begin and end it
   */
  public int countTokens(String text) {
    return tokenizer.encode(text, maxTokens).length;
  }

  /**
   * The embedding of one text.
   *
   * @param text any text
   * @return its elements, of length 1 as a vector
   */
  public float[] embed(String text) {
    return embed(List.of(text)).data();
  }

  /**
   * The embeddings of several texts, computed together.
   *
   * @param texts any texts
   * @return [texts, features], rows of length 1 in the order of the texts
   */
  public FloatMatrix embed(List<String> texts) {
    List<int[]> tokens = texts.parallelStream().map(t -> tokenizer.encode(t, maxTokens)).toList();
    FloatMatrix embeddings = FloatMatrix.allocate(texts.size(), features());
    List<Integer> byLength =
        IntStream.range(0, tokens.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> tokens.get(i).length))
            .toList();
    List<Integer> batch = new ArrayList<>();
    int size = 0;
    for (int text : byLength) {
      int length = tokens.get(text).length;
      if (!batch.isEmpty() && size + length > TOKENS_A_BATCH) {
        embed(batch, tokens, embeddings);
        batch.clear();
        size = 0;
      }
      batch.add(text);
      size += length;
    }
    if (!batch.isEmpty()) {
      embed(batch, tokens, embeddings);
    }
    return embeddings;
  }

  /** Computes the rows of the texts in a batch. */
  private synchronized void embed(List<Integer> batch, List<int[]> tokens, FloatMatrix embeddings) {
    Sequences sequences =
        Sequences.ofLengths(batch.stream().mapToInt(text -> tokens.get(text).length).toArray());
    int[] ids = batch.stream().flatMapToInt(text -> Arrays.stream(tokens.get(text))).toArray();
    try {
      Tensor states = encoder.forward(tape, ids, sequences);
      Tensor means = Pooling.MEAN.forward(tape, states, sequences);
      FloatMatrix rows = unit.forward(tape, means).value();
      for (int i = 0; i < batch.size(); i++) {
        int text = batch.get(i);
        rows.rowRange(i, i + 1).copyTo(embeddings.rowRange(text, text + 1));
      }
    } finally {
      tape.reset();
    }
  }
}
