package dev.switchyard.layers.io;

import dev.switchyard.layers.Parameter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * Tells models apart: a hash of the names, shapes and values of parameters, in their order. What
 * has the same fingerprint is the same, and what is frozen keeps it.
 */
public final class Fingerprint {
  private static final String ALGORITHM = "SHA-256"; // which every Java platform has
  private static final int BLOCK = 1 << 14;

  private Fingerprint() {}

  /**
   * The fingerprint of a model's parameters.
   *
   * @param parameters in their order
   * @return {@code sha256:} and 64 hexadecimal digits
   */
  public static String of(List<Parameter> parameters) {
    MessageDigest digest = sha256();
    for (Parameter parameter : parameters) {
      digest.update(parameter.toString().getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
      float[] values = parameter.value().data();
      ByteBuffer block = ByteBuffer.allocate(Float.BYTES * Math.min(BLOCK, values.length));
      for (int from = 0; from < values.length; from += BLOCK) {
        int length = Math.min(BLOCK, values.length - from);
        block.clear().asFloatBuffer().put(values, from, length);
        digest.update(block.limit(Float.BYTES * length));
      }
    }
    return "sha256:" + HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance(ALGORITHM);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java platform has no " + ALGORITHM, e);
    }
  }
}
