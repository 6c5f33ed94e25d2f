package dev.switchyard.encoders;

import java.text.Normalizer;

/**
 * What BERT's tokenizer takes for white space, punctuation and so on. Vocabularies were made, and
 * models trained, with the categories of Unicode 8.0, in which the library that everyone follows
 * (Hugging Face tokenizers) froze them; the JDK's are newer. Punctuation, marks and format
 * characters that Unicode got since then were unassigned: they count as letters here.
 */
final class CodePoints {
  /**
   * Ranges that hold all punctuation, accents and format characters of Unicode 16 that were not
   * such in Unicode 8.0, and none that were: first and last code point, in ascending order.
   */
  private static final CodePointRanges NEWER =
      new CodePointRanges(
          """
          61d-61d 7fd-7fd 890-8e2 9fd-9fe a76-a76 afa-aff b55-b55 c04-c3c c77-c77 c84-c84
          d00-d00 d3b-d3c d81-d81 eba-eba ece-ece 180f-1886 1abf-1ace 1b4e-1b4f 1b7d-1b7f
          1df6-1dfb 2e43-2e5d a82c-a82c a8c5-a8c5 a8ff-a8ff a9bd-a9bd 10d24-10f89 11070-11074
          110c2-110cd 111cf-111cf 1123e-11241 1133b-1133b 113bb-1145e 11660-1166c 116b9-116b9
          1182f-11fff 12ff1-1612f 16d6d-16f4f 16fe2-16fe4 1cf00-1cf46 1e000-1e5ff 1e944-1e95f
          """);

  private CodePoints() {}

  /** White space of Unicode, which has not changed. */
  static boolean isWhitespace(int c) {
    return c == ' '
        || (c >= '\t' && c <= '\r')
        || c == 0x85
        || (c >= 0xa0 && Character.isSpaceChar(c));
  }

  /** Letters, marks, digits and what joins them: what a single word is made of. */
  static boolean isOfWord(int c) {
    return Character.isAlphabetic(c)
        || c == 0x200c
        || c == 0x200d
        || switch (Character.getType(c)) {
          case Character.NON_SPACING_MARK,
              Character.COMBINING_SPACING_MARK,
              Character.ENCLOSING_MARK,
              Character.DECIMAL_DIGIT_NUMBER,
              Character.CONNECTOR_PUNCTUATION ->
              true;
          default -> false;
        };
  }

  /**
   * What cleaning removes: control, format and private characters, and the replacement of what
   * could not be decoded.
   */
  static boolean isRemovedByCleaning(int c) {
    if (c == '\t' || c == '\n' || c == '\r') {
      return false;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.PRIVATE_USE, Character.SURROGATE -> true;
      case Character.FORMAT -> !NEWER.contains(c);
      default -> c == 0xfffd;
    };
  }

  /** ASCII that is neither letter nor digit nor control, and punctuation of any script. */
  static boolean isPunctuation(int c) {
    if (c < 0x80) {
      return c > ' ' && c < 0x7f && !Character.isLetterOrDigit(c);
    }
    return switch (Character.getType(c)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          !NEWER.contains(c);
      default -> c == 0x166d || c == 0x111c9; // punctuation then, a symbol and a mark now
    };
  }

  /** A mark without width: what stripping accents removes. */
  static boolean isAccent(int c) {
    if (Character.getType(c) == Character.NON_SPACING_MARK) {
      return !NEWER.contains(c) && c != 0x111c9;
    }
    return c == 0x1734 || c == 0x1171e; // marks that take up space now
  }

  /** The blocks of unified and compatibility ideographs that BERT's own tokenizer lists. */
  static boolean isIdeograph(int c) {
    return c >= 0x3400
        && ((c <= 0x4dbf)
            || (c >= 0x4e00 && c <= 0x9fff)
            || (c >= 0xf900 && c <= 0xfaff)
            || (c >= 0x20000 && c <= 0x2a6df)
            || (c >= 0x2a700 && c <= 0x2b81f)
            || (c >= 0x2b920 && c <= 0x2ceaf)
            || (c >= 0x2f800 && c <= 0x2fa1f));
  }

  /**
   * Whether the canonical decomposition is another text. Letters that Unicode got after version
   * 9.0, whose decompositions the followed library has, are left alone.
   */
  static boolean decomposes(int c) {
    boolean rare = c >= 0x3100 && c < 0xac00; // no letter of these blocks does
    boolean newer =
        (c >= 0x105c9 && c <= 0x105e4)
            || (c >= 0x11383 && c <= 0x113c8)
            || c == 0x11938
            || (c >= 0x16121 && c <= 0x16d6a);
    return c >= 0xc0
        && !rare
        && !newer
        && !Normalizer.isNormalized(Character.toString(c), Normalizer.Form.NFD);
  }
}
