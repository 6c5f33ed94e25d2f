package dev.switchyard.encoders;

import java.util.Arrays;
import java.util.HexFormat;

/** A set of code points. Immutable. */
final class CodePointRanges {
  private final int[] ends; // first and last of each range, ascending

  /**
   * @param text the first and the last code point of each range, in hexadecimal and ascending
   */
  CodePointRanges(String text) {
    ends =
        Arrays.stream(text.strip().split("[\\s-]+")).mapToInt(HexFormat::fromHexDigits).toArray();
  }

  boolean contains(int codePoint) {
    int at = Arrays.binarySearch(ends, codePoint);
    return at >= 0 || (-at - 1) % 2 == 1; // the end of a range, or between its ends
  }
}
