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
   * Reads the {@code config.json} of a model in the Hugging Face format. What it does not say is as
   * in the base model: 12 blocks of 768 features with 12 heads, and so on.
   *
   * @param file the configuration
   * @return its numbers
   * @throws ModelFileException if it is not that of a BERT encoder with the exact GELU and learned
   *     absolute positions, such as that of a decoder
   * @throws IOException if it cannot be read
   */
  public static BertShape read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      Json json = Json.read(file.toString(), in);
      json.get("model_type").require("bert");
      requireUsual(json, "hidden_act", "gelu");
      requireUsual(json, "position_embedding_type", "absolute");
      requireUsual(json, "is_decoder", false);
      requireUsual(json, "add_cross_attention", false);
      int features = json.get("hidden_size").integerOr(1, LIMIT, 768);
      int heads = json.get("num_attention_heads").integerOr(1, features, 12);
      if (features % heads != 0) {
        throw json.get("num_attention_heads").problem("a number that divides " + features);
      }
      Json given = json.get("layer_norm_eps");
      float eps = given.isNull() ? 1e-12f : (float) given.number();
      if (!isPositive(eps)) {
        throw given.problem("a float above 0");
      }
      return new BertShape(
          json.get("vocab_size").integerOr(1, LIMIT, 30_522),
          json.get("max_position_embeddings").integerOr(1, LIMIT, 512),
          json.get("type_vocab_size").integerOr(1, LIMIT, 2),
          features,
          heads,
          json.get("intermediate_size").integerOr(1, LIMIT, 3072),
          json.get("num_hidden_layers").integerOr(1, LIMIT, 12),
          eps);
    }
  }

  /** Refuses any value but the one that BERT has where nothing is said. */
  private static void requireUsual(Json json, String key, Object usual) throws ModelFileException {
    if (!json.get(key).isNull()) {
      json.get(key).require(usual);
    }
  }
}
