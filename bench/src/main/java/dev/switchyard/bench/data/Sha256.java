package dev.switchyard.bench.data;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What tells data sets apart in the identity of a training. */
public final class Sha256 {
  private static final String ALGORITHM = "SHA-256"; // which every Java platform has

  private Sha256() {}

  /** A digest of nothing. */
  public static MessageDigest begin() {
    try {
      return MessageDigest.getInstance(ALGORITHM);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java platform has no " + ALGORITHM, e);
    }
  }

  /** As it stands in messages. */
  public static String end(MessageDigest digest) {
    return ALGORITHM + " " + HexFormat.of().formatHex(digest.digest());
  }
}
