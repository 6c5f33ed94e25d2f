package dev.switchyard.bench.adapt;

import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.kernels.data.Sequences;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Texts as the ids of their tokens.
 *
 * @param ids of each text
 */
record Tokens(int[][] ids) {
  static Tokens of(List<String> texts, WordPieceTokenizer tokenizer, int maxTokens) {
    return new Tokens(
        texts.parallelStream()
            .map(text -> tokenizer.encode(text, maxTokens))
            .toArray(int[][]::new));
  }

  /** A checksum over the tokens of all texts. */
  String fingerprint() {
    CRC32C checksum = new CRC32C();
    for (int[] text : ids) {
      ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (1 + text.length));
      bytes.putInt(text.length).asIntBuffer().put(text);
      checksum.update(bytes.rewind());
    }
    return Long.toHexString(checksum.getValue());
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
