package dev.switchyard.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.DimensionAwareEmbeddingModel;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.SentenceEncoder;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Precisions;
import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Embeds texts in this JVM, in place of langchain4j's own in-process models: the same files, the
 * same embeddings, of length 1. Texts of one call are computed together, in the order of their
 * length and without padding, so pass many at once.
 *
 * <p>One difference: a text longer than the model takes is cut, where langchain4j's models embed
 * its parts and average them. A model takes what {@code max_seq_length} in {@code
 * sentence_bert_config.json} beside it says, else as many tokens as it has positions.
 *
 * <p>Thread-safe. After {@link #close()} nothing is embedded any more, and what the model held can
 * be collected.
 */
public final class SwitchyardEmbeddingModel extends DimensionAwareEmbeddingModel
    implements AutoCloseable {
  private final String name;
  private volatile SentenceEncoder encoder; // null once closed

  /**
   * A model over an encoder, which may have adapters.
   *
   * @param name what {@link #modelName()} tells
   * @param encoder makes the embeddings
   */
  public SwitchyardEmbeddingModel(String name, SentenceEncoder encoder) {
    this.name = Objects.requireNonNull(name, "name");
    this.encoder = Objects.requireNonNull(encoder, "encoder");
    dimension = encoder.features();
  }

  /**
   * Reads a pretrained encoder for inference on all cores. Of the precisions in int8, {@link
   * Precision#SWITCHBACK_OUTLIERS} is closest to float32; with the others weights are kept in int8
   * alone, of which {@link Precision#SWITCHBACK_Q} is the closest.
   *
   * <p>The pooling is what {@code 1_Pooling/config.json} beside the model says. Without such a file
   * the mean of the tokens' states is assumed, which is wrong for BGE, GTE, mxbai and Arctic: name
   * theirs, {@link Pooling#FIRST}, in {@link #read(Path, Path, Precision, Pooling)}.
   *
   * @param model a BERT, see {@link BertEncoder#read}
   * @param tokenizer its {@code tokenizer.json}
   * @param precision of its linear layers
   * @return the model, named like the file
   * @throws IllegalArgumentException if model and tokenizer do not go together
   * @throws IOException if a file cannot be read, or is not what is expected; if the pooling that
   *     is asked for is not done here, see {@link SentenceEncoder#pooling}
   */
  public static SwitchyardEmbeddingModel read(Path model, Path tokenizer, Precision precision)
      throws IOException {
    return read(model, tokenizer, precision, SentenceEncoder.pooling(model));
  }

  /**
   * Reads a pretrained encoder as {@link #read(Path, Path, Precision)} does, with the caller's
   * choice of pooling whatever lies beside the model.
   *
   * @param model a BERT, see {@link BertEncoder#read}
   * @param tokenizer its {@code tokenizer.json}
   * @param precision of its linear layers
   * @param pooling what makes one vector of the states of a text
   * @return the model, named like the file
   * @throws IllegalArgumentException if model and tokenizer do not go together
   * @throws IOException if a file cannot be read, or is not what is expected
   */
  public static SwitchyardEmbeddingModel read(
      Path model, Path tokenizer, Precision precision, Pooling pooling) throws IOException {
    Kernels kernels =
        Kernels.create(Parallel.ofThreads(Runtime.getRuntime().availableProcessors()));
    BertEncoder encoder = BertEncoder.read(model, precision);
    Precisions.release(encoder, kernels);
    int positions = encoder.shape().positions();
    SentenceEncoder sentences =
        new SentenceEncoder(
            WordPieceTokenizer.read(tokenizer),
            encoder,
            pooling,
            kernels,
            Math.min(SentenceEncoder.maxTokens(model).orElse(positions), positions));
    return new SwitchyardEmbeddingModel(String.valueOf(model.getFileName()), sentences);
  }

  /**
   * Embeds texts.
   *
   * @param segments any texts; their metadata is not looked at
   * @return an embedding each, in the order of the texts, and the number of their tokens, without
   *     those that begin and end each text
   * @throws IllegalArgumentException if a text has no token, see {@link SentenceEncoder#embed}
   * @throws IllegalStateException if the model is closed
   */
  @Override
  public Response<List<Embedding>> embedAll(List<TextSegment> segments) {
    SentenceEncoder open = encoder;
    if (open == null) {
      throw new IllegalStateException("embedding model " + name + " is closed");
    }
    List<int[]> tokens = open.encode(segments.stream().map(TextSegment::text).toList());
    FloatMatrix vectors = open.embedTokens(tokens);
    int special = open.tokenizer().specialTokens();
    List<Embedding> embeddings = new ArrayList<>();
    int count = 0;
    for (int i = 0; i < tokens.size(); i++) {
      embeddings.add(Embedding.from(vectors.rowRange(i, i + 1).copy().data()));
      count += tokens.get(i).length - special;
    }
    return Response.from(embeddings, new TokenUsage(count));
  }

  @Override
  public String modelName() {
    return name;
  }

  /** Lets go of the encoder. Calls that are under way end as if nothing had happened. */
  @Override
  public void close() {
    encoder = null;
  }
}
