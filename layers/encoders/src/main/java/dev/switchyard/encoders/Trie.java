package dev.switchyard.encoders;

import dev.switchyard.kernels.data.CounterRandom;
import java.util.Arrays;
import java.util.Map;

/**
 * Texts by their letters (Fredkin 1960), among which the longest is found with which another text
 * goes on: letter by letter, each a look into a table, so that it takes time in proportion to the
 * length of what fits, however many texts there are. Immutable.
 *
 * <p>The table holds what begins a text, each but the empty beginning, by the place of what it is
 * without its last letter, and this letter. With open addressing, half of it free at least, and a
 * factor that is drawn (Dietzfelbinger et al. 1997): no file can have its texts fall into one
 * place.
 */
final class Trie {
  private static final int ROOT = -1;

  private final long factor = new CounterRandom(System.nanoTime()).key(0) | 1;
  private final long[] keys; // 0 where free
  private final int[] ends; // of each beginning, the text it is, counted from 1
  private final int shift;
  private final int[] ids;
  private final int[] lengths;

  /** Texts and their ids; an empty text is left out. */
  Trie(Map<String, Integer> idOf) {
    String[] texts =
        idOf.keySet().stream().filter(text -> !text.isEmpty()).sorted().toArray(String[]::new);
    ids = new int[texts.length];
    lengths = new int[texts.length];
    long beginnings = 0;
    for (int i = 0; i < texts.length; i++) {
      beginnings += texts[i].length() - (i == 0 ? 0 : inCommon(texts[i - 1], texts[i]));
    }
    int bits = 65 - Long.numberOfLeadingZeros(beginnings);
    shift = 64 - bits;
    keys = new long[Math.toIntExact(1L << bits)];
    ends = new int[keys.length];
    for (int i = 0; i < texts.length; i++) {
      int at = ROOT;
      for (int depth = 0; depth < texts[i].length(); depth++) {
        long key = key(at, texts[i].charAt(depth));
        at = place(key);
        keys[at] = key;
      }
      ends[at] = i + 1;
      ids[i] = idOf.get(texts[i]);
      lengths[i] = texts[i].length();
    }
  }

  private static int inCommon(String a, String b) {
    int at = Arrays.mismatch(a.toCharArray(), b.toCharArray());
    return at < 0 ? a.length() : at;
  }

  private static long key(int parent, char letter) {
    return (parent + 2L) << Character.SIZE | letter;
  }

  /** Where a key is, or would be. */
  private int place(long key) {
    int at = (int) ((key * factor) >>> shift);
    while (keys[at] != key && keys[at] != 0) {
      at = (at + 1) & (keys.length - 1);
    }
    return at;
  }

  /** The longest text that lies in another at an index; -1 if none does. */
  int longest(CharSequence in, int from) {
    int found = -1;
    int at = ROOT;
    for (int i = from; i < in.length(); i++) {
      at = place(key(at, in.charAt(i)));
      if (keys[at] == 0) {
        break;
      }
      found = ends[at] == 0 ? found : ends[at] - 1;
    }
    return found;
  }

  boolean isEmpty() {
    return ids.length == 0;
  }

  int id(int text) {
    return ids[text];
  }

  int length(int text) {
    return lengths[text];
  }
}
