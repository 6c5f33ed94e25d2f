package dev.switchyard.bench.adapt;

import dev.switchyard.bench.data.Sha256;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;

/**
 * Texts as the ids of their tokens.
 *
 * @param ids of each text
 */
record Tokens(int[][] ids) {
  static Tokens of(
      List<String> texts, WordPieceTokenizer tokenizer, int maxTokens, Parallel parallel) {
    int[][] ids = new int[texts.size()][];
    parallel.forEach(ids.length, i -> ids[i] = tokenizer.encode(texts.get(i), maxTokens));
    return new Tokens(ids);
  }

  /** A text that differs where an id does. */
  String fingerprint() {
    MessageDigest digest = Sha256.begin();
    for (int[] text : ids) {
      ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (text.length + 1));
      bytes.putInt(text.length).asIntBuffer().put(text);
      digest.update(bytes.array());
    }
    return count() + " texts of tokens with " + Sha256.end(digest);
  }

  int count() {
    return ids.length;
  }

  /** Some texts, one after the other. */
  Batch batch(int[] texts) {
    int[] lengths = Arrays.stream(texts).map(text -> ids[text].length).toArray();
    int[] all = Arrays.stream(texts).flatMap(text -> Arrays.stream(ids[text])).toArray();
    return new Batch(all, Sequences.ofLengths(lengths));
  }

  record Batch(int[] ids, Sequences sequences) {}
}
