package dev.switchyard.encoders;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The numbers that say which BERT a model is.
 *
 * @param vocabulary how many tokens have an embedding
 * @param positions tokens of the longest text
 * @param tokenTypes kinds of tokens, such as those of a first and of a second text
 * @param features columns of what the encoder computes
 * @param heads attention heads; they divide the features
 * @param hidden features inside the feed-forward parts
 * @param depth how many blocks there are
 * @param eps what layer normalizations add to the variance
 */
public record BertShape(
    int vocabulary,
    int positions,
    int tokenTypes,
    int features,
    int heads,
    int hidden,
    int depth,
    float eps) {
  /** No file can hold embeddings beyond it; keeps products of two within a long. */
  private static final int LIMIT = 1 << 24;

  /**
   * Checks that there is at least one of everything.
   *
   * @throws IllegalArgumentException if there is not, or the heads do not divide the features
   */
  public BertShape {
    requirePositive("vocabulary", vocabulary);
    requirePositive("positions", positions);
    requirePositive("tokenTypes", tokenTypes);
    requirePositive("features", features);
    requirePositive("heads", heads);
    requirePositive("hidden", hidden);
    requirePositive("depth", depth);
    if (features % heads != 0) {
      throw new IllegalArgumentException(
          features + " features have " + heads + " heads (expected heads that divide them)");
    }
    if (!isPositive(eps)) {
      throw new IllegalArgumentException("eps is " + eps + " (expected a finite number above 0)");
    }
  }

  private static boolean isPositive(float eps) {
    return eps > 0 && eps < Float.POSITIVE_INFINITY;
  }

  private static void requirePositive(String name, int value) {
    if (value < 1 || value > LIMIT) {
      throw new IllegalArgumentException(name + " is " + value + " (expected 1 to " + LIMIT + ")");
    }
  }

  /**
   * Reads the {@code config.json} of a model in the Hugging Face format.
   *
   * @param file the configuration
   * @return its numbers
   * @throws ModelFileException if it is not that of a BERT with the exact GELU and learned absolute
   *     positions
   * @throws IOException if it cannot be read
   */
  public static BertShape read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      Json json = Json.read(file.toString(), in);
      json.get("model_type").require("bert");
      json.get("hidden_act").require("gelu");
      if (!json.get("position_embedding_type").isNull()) {
        json.get("position_embedding_type").require("absolute");
      }
      int features = json.get("hidden_size").integer(1, LIMIT);
      int heads = json.get("num_attention_heads").integer(1, features);
      if (features % heads != 0) {
        throw json.get("num_attention_heads").problem("a number that divides " + features);
      }
      float eps = (float) json.get("layer_norm_eps").number();
      if (!isPositive(eps)) {
        throw json.get("layer_norm_eps").problem("a float above 0");
      }
      return new BertShape(
          json.get("vocab_size").integer(1, LIMIT),
          json.get("max_position_embeddings").integer(1, LIMIT),
          json.get("type_vocab_size").integer(1, LIMIT),
          features,
          heads,
          json.get("intermediate_size").integer(1, LIMIT),
          json.get("num_hidden_layers").integer(1, LIMIT),
          eps);
    }
  }
}
