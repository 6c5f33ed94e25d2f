package dev.switchyard.encoders;

import java.text.Normalizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * In which order combining marks stand after a letter (Unicode 16, section 3.11): by their
 * combining classes, and as they are where these are equal. The JDK does not tell the classes, but
 * what its normalizer does gives them away: it swaps two marks if the first has the greater class
 * and neither has class 0.
 *
 * <p>For code points that do not decompose. As {@link CodePoints}, of an older version: marks that
 * Unicode got after version 9.0 have class 0.
 */
final class CanonicalOrder {
  private static final int CLASS_1 = 0x334;
  private static final int CLASS_232 = 0x315;

  /** All marks of other classes than 0 since Unicode 9.0, and none of those before. */
  private static final CodePointRanges NEWER =
      new CodePointRanges(
          """
          7fd-7fd 897-8d3 9fe-9fe c3c-c3c d3b-d3c eba-eba 1715-1715 1abf-1ace 1df6-1dfa
          a82c-a82c 10d24-10f85 11070-11070 1133b-1133b 113c5-113d0 1145e-1145e 11839-11a99
          11d42-1612f 16ff0-16ff1 1e08f-1e5ef
          """);

  /** Marks and numbers that are ordered as their classes are, all greater than 0. */
  private static final Map<Integer, Integer> CLASSES = classes();

  private CanonicalOrder() {}

  private static Map<Integer, Integer> classes() {
    List<Integer> marks =
        IntStream.rangeClosed(0x300, Character.MAX_CODE_POINT)
            .filter(CanonicalOrder::isCombining)
            .boxed()
            .sorted(CanonicalOrder::compare)
            .toList();
    Map<Integer, Integer> classes = new HashMap<>();
    int number = 1;
    for (int i = 0; i < marks.size(); i++) {
      number += i > 0 && compare(marks.get(i - 1), marks.get(i)) < 0 ? 1 : 0;
      classes.put(marks.get(i), number);
    }
    return classes;
  }

  private static boolean isCombining(int c) {
    int type = Character.getType(c);
    boolean mark = type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
    boolean whole = mark && Normalizer.isNormalized(Character.toString(c), Normalizer.Form.NFD);
    boolean hasClass = whole && (swaps(c, CLASS_1) || swaps(CLASS_232, c)); // over 1, or under 232
    return hasClass && !NEWER.contains(c);
  }

  private static int compare(int a, int b) {
    return swaps(a, b) ? 1 : swaps(b, a) ? -1 : 0;
  }

  private static boolean swaps(int first, int second) {
    return !Normalizer.isNormalized(
        Character.toString(first) + Character.toString(second), Normalizer.Form.NFD);
  }

  /** The place of a code point's class among the classes; 0 if it is class 0. */
  static int of(int c) {
    return CLASSES.getOrDefault(c, 0);
  }
}
