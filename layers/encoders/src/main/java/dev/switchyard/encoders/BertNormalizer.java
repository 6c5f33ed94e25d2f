package dev.switchyard.encoders;

import java.text.Normalizer;
import java.util.Arrays;

/**
 * What BERT does to a text before it looks for words: cleans it, sets ideographs apart, takes
 * accents off and makes letters small, each of them or not. One pass, in which nothing is kept but
 * a run of marks whose order is not settled.
 *
 * @param cleans whether control characters go and all white space becomes a space
 * @param spacesIdeographs whether each ideograph is a word of its own
 * @param stripsAccents whether letters are decomposed (Unicode's form NFD) and lose their accents
 * @param lowercases whether letters become small, each by itself
 */
record BertNormalizer(
    boolean cleans, boolean spacesIdeographs, boolean stripsAccents, boolean lowercases) {
  private static final int CAPITAL_I_WITH_DOT = 0x130;
  private static final int DOT_ABOVE = 0x307;
  private static final int FIRST_MARK = 0x300;

  /** Takes normalized text, one code point after the other. */
  interface Sink {
    void accept(int codePoint);

    /** Whether it wants no more. */
    default boolean isFull() {
      return false;
    }
  }

  /** Normalizes a whole text. */
  String normalize(String text) {
    StringBuilder normalized = new StringBuilder();
    normalize(text, 0, text.length(), normalized::appendCodePoint);
    return normalized.toString();
  }

  /** Normalizes the part of a text from one index to another. */
  void normalize(String text, int from, int to, Sink sink) {
    Marks marks = new Marks(sink);
    for (int i = from; i < to && !sink.isFull(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (cleans && CodePoints.isRemovedByCleaning(c)) {
        continue;
      }
      if (cleans && CodePoints.isWhitespace(c)) {
        c = ' ';
      }
      if (spacesIdeographs && CodePoints.isIdeograph(c)) {
        strip(' ', marks);
        strip(c, marks);
        strip(' ', marks);
      } else {
        strip(c, marks);
      }
    }
    marks.flush();
  }

  private void strip(int c, Marks marks) {
    if (!stripsAccents) {
      lower(c, marks.sink);
    } else if (CodePoints.decomposes(c)) {
      Normalizer.normalize(Character.toString(c), Normalizer.Form.NFD)
          .codePoints()
          .forEach(marks::accept);
    } else {
      marks.accept(c);
    }
  }

  private void lower(int c, Sink sink) {
    if (!lowercases) {
      sink.accept(c);
    } else if (c == CAPITAL_I_WITH_DOT) { // the only letter that becomes two
      sink.accept('i');
      sink.accept(DOT_ABOVE);
    } else {
      sink.accept(Character.toLowerCase(c));
    }
  }

  /**
   * Drops accents and puts what is left of a run of combining marks in canonical order (Unicode 16,
   * section 3.11: sorted by combining class, equal ones as they are), sorting each run once however
   * long it is.
   */
  private final class Marks {
    final Sink sink;
    private long[] run = new long[4]; // class, then place in the run, then code point
    private int length;

    Marks(Sink sink) {
      this.sink = sink;
    }

    void accept(int c) {
      int order = c < FIRST_MARK ? 0 : CanonicalOrder.of(c);
      boolean dropped = c >= FIRST_MARK && CodePoints.isAccent(c);
      if (order == 0) {
        flush();
      }
      if (order == 0 && !dropped) {
        lower(c, sink);
      } else if (!dropped) {
        if (length == run.length) {
          run = Arrays.copyOf(run, 2 * length);
        }
        run[length] = (long) order << 52 | (long) length << 21 | c;
        length++;
      }
    }

    void flush() {
      Arrays.sort(run, 0, length);
      for (int i = 0; i < length; i++) {
        lower((int) run[i] & 0x1fffff, sink);
      }
      length = 0;
    }
  }
}
