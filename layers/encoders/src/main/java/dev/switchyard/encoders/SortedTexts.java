package dev.switchyard.encoders;

import java.util.Map;

/**
 * Texts in order, among which the longest is found with which another text goes on: letter by
 * letter, the texts that still fit are a narrower range. It takes time in proportion to the length
 * of what fits, however many texts there are. Immutable.
 */
final class SortedTexts {
  private final String[] texts;
  private final int[] ids;

  /** Texts and their ids; an empty text is left out. */
  SortedTexts(Map<String, Integer> idOf) {
    texts = idOf.keySet().stream().filter(text -> !text.isEmpty()).sorted().toArray(String[]::new);
    ids = new int[texts.length];
    for (int i = 0; i < texts.length; i++) {
      ids[i] = idOf.get(texts[i]);
    }
  }

  /** The place of the longest text that lies in another at an index; -1 if none does. */
  int longest(CharSequence in, int from) {
    int found = -1;
    int low = 0;
    int high = texts.length;
    for (int depth = 0; low < high; depth++) { // all of the range begin with the letters so far
      if (texts[low].length() == depth) {
        found = low;
        low++;
      }
      if (from + depth == in.length()) {
        break;
      }
      char c = in.charAt(from + depth);
      low = first(low, high, depth, c);
      high = first(low, high, depth, c + 1);
    }
    return found;
  }

  /** The first text of a range whose letter at that depth is c or a later one. */
  private int first(int low, int high, int depth, int c) {
    int from = low;
    int to = high;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (texts[middle].charAt(depth) < c) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  boolean isEmpty() {
    return texts.length == 0;
  }

  int id(int place) {
    return ids[place];
  }

  int length(int place) {
    return texts[place].length();
  }
}
