package dev.switchyard.encoders;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.norm.L2Normalization;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Embeddings of texts, as sentence-transformers computes them (Reimers and Gurevych 2019): one
 * vector of the hidden states of a text's tokens, divided by its length. The dot product of two
 * embeddings is their cosine.
 *
 * <p>Which vector is for the model to say: the mean of all states ({@link Pooling#MEAN}) or the
 * state of the first token ({@link Pooling#FIRST}, as BGE, GTE, mxbai and Arctic want it). With the
 * wrong one embeddings look right and are not. {@link #pooling} finds what a model's folder says.
 *
 * <p>Texts are taken in batches of about so many tokens and in the order of their length, so that
 * those computed together take about as long each. The linear layers run in the encoder's
 * precision; of those in int8, {@code SWITCHBACK_OUTLIERS} is closest to float32 and {@code
 * SWITCHBACK_Q} comes next, since a single scale for all of a weight costs pretrained encoders
 * much. The encoder must not be used by others meanwhile.
 *
 * <p>Thread-safe: the threads of the kernels cut texts into tokens, for all who ask at once; then
 * they compute one batch at a time. No other thread is used.
 */
public final class SentenceEncoder {
  /** Enough rows for products at full speed, few enough for states to stay in the caches. */
  private static final int TOKENS_A_BATCH = 1024;

  private final WordPieceTokenizer tokenizer;
  private final TokenEncoder encoder;
  private final Pooling pooling;
  private final int maxTokens;
  private final L2Normalization unit = new L2Normalization();
  private final Tape tape; // guarded by this, but for its kernels

  /**
   * An encoder that cuts texts to as many tokens as there are positions, see {@link #maxTokens}.
   *
   * @param tokenizer makes the tokens
   * @param encoder makes hidden states of them
   * @param pooling makes one vector of the states of a text, see {@link #pooling}
   * @param kernels what computes
   * @throws IllegalArgumentException if the tokenizer has tokens that the encoder has not
   */
  public SentenceEncoder(
      WordPieceTokenizer tokenizer, TokenEncoder encoder, Pooling pooling, Kernels kernels) {
    this(tokenizer, encoder, pooling, kernels, encoder.shape().positions());
  }

  /**
   * An encoder that cuts texts to a number of tokens.
   *
   * @param tokenizer makes the tokens
   * @param encoder makes hidden states of them
   * @param pooling makes one vector of the states of a text, see {@link #pooling}
   * @param kernels what computes
   * @param maxTokens of a text, with those that begin and end it; what follows is ignored
   * @throws IllegalArgumentException if the tokenizer has tokens that the encoder has not, or
   *     maxTokens leaves no room or is more than the positions
   */
  public SentenceEncoder(
      WordPieceTokenizer tokenizer,
      TokenEncoder encoder,
      Pooling pooling,
      Kernels kernels,
      int maxTokens) {
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
    this.pooling = Objects.requireNonNull(pooling, "pooling");
    this.maxTokens = maxTokens;
    tape = Tape.inference(kernels);
  }

  /**
   * The pooling that a model was made for, by what sentence-transformers keeps beside it: {@code
   * modules.json} and {@code 1_Pooling/config.json}, in the folder of the model or, if that is
   * called {@code onnx}, in the one above. Where neither file is there, the mean is assumed.
   *
   * @param model the file of the weights
   * @return first token, last token, or mean
   * @throws ModelFileException if the folder asks for another pooling, several, or a further step
   *     such as a dense layer
   * @throws IOException if a file is there but cannot be read
   */
  public static Pooling pooling(Path model) throws IOException {
    return SentenceFiles.pooling(model);
  }

  /**
   * How many tokens of a text a model was made for, with those that begin and end it, by what
   * sentence-transformers keeps beside it: {@code max_seq_length} in {@code
   * sentence_bert_config.json}, looked for where {@link #pooling} looks. It may be less than there
   * are positions, as 256 of 512 in all-MiniLM-L6-v2.
   *
   * @param model the file of the weights
   * @return the number, empty where nothing says
   * @throws ModelFileException if it is no whole number above 0
   * @throws IOException if the file is there but cannot be read
   */
  public static OptionalInt maxTokens(Path model) throws IOException {
    return SentenceFiles.maxTokens(model);
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
   * What makes the tokens.
   *
   * @return the tokenizer
   */
  public WordPieceTokenizer tokenizer() {
    return tokenizer;
  }

  /**
   * The embedding of one text.
   *
   * @param text any text
   * @return its elements, of length 1 as a vector
   * @throws IllegalArgumentException if the text has no token
   */
  public float[] embed(String text) {
    return embed(List.of(text)).data();
  }

  /**
   * The embeddings of several texts, computed together.
   *
   * @param texts any texts
   * @return [texts, features], rows of length 1 in the order of the texts
   * @throws IllegalArgumentException if a text has no token, as an empty one where the tokenizer
   *     puts none around it
   */
  public FloatMatrix embed(List<String> texts) {
    return embedTokens(encode(texts));
  }

  /**
   * The tokens that are looked at.
   *
   * @param texts any texts
   * @return ids of each, with those that begin and end it
   */
  public List<int[]> encode(List<String> texts) {
    int[][] tokens = new int[texts.size()][];
    tape.kernels()
        .parallel()
        .forEach(tokens.length, i -> tokens[i] = tokenizer.encode(texts.get(i), maxTokens));
    return List.of(tokens);
  }

  /**
   * The embeddings of texts that were cut into tokens before.
   *
   * @param tokens what {@link #encode} made of each text
   * @return [texts, features], rows of length 1 in the order of the texts
   * @throws IllegalArgumentException if a text has no token, or more than there are positions, or
   *     an id has no embedding
   */
  public FloatMatrix embedTokens(List<int[]> tokens) {
    for (int i = 0; i < tokens.size(); i++) {
      if (tokens.get(i).length == 0) {
        throw new IllegalArgumentException(
            "text " + i + " has no token (expected one or more, as its embedding is made of them)");
      }
    }
    FloatMatrix embeddings = FloatMatrix.allocate(tokens.size(), features());
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
    tape.reset(); // in case an error has ended the last one, of an earlier caller
    try {
      Tensor states = encoder.forward(tape, ids, sequences);
      Tensor pooled = pooling.forward(tape, states, sequences);
      FloatMatrix rows = unit.forward(tape, pooled).value();
      for (int i = 0; i < batch.size(); i++) {
        int text = batch.get(i);
        rows.rowRange(i, i + 1).copyTo(embeddings.rowRange(text, text + 1));
      }
    } finally {
      tape.reset();
    }
  }
}
