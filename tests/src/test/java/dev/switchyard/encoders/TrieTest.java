package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class TrieTest {
  /** 2^64 over the golden ratio, the usual factor of such a table. */
  private static final long USUAL = 0x9E3779B97F4A7C15L;

  private static final int BITS = 20; // of the places of a table for so many texts
  private static final int TEXTS = 400_000;

  private static int place(int parent, char letter) {
    long key = ((parent + 2L) << Character.SIZE) | letter;
    return (int) ((key * USUAL) >>> (64 - BITS));
  }

  /**
   * Texts of two letters that a known factor would put beside each other: minutes, not a second.
   */
  @Tag("full")
  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void noTextsAreChosenToFallIntoOnePlace() {
    Map<String, Integer> texts = new HashMap<>();
    for (char first = 0x4e00; texts.size() < TEXTS; first++) {
      int parent = place(-1, first);
      for (char second = 0x3400; second < 0xd800 && parent > TEXTS; second++) {
        if (place(parent, second) < 2_000) {
          texts.put("" + first + second, texts.size());
        }
      }
    }
    Trie trie = new Trie(texts);
    texts.forEach((text, id) -> assertThat(trie.id(trie.longest(text, 0))).isEqualTo(id));
  }
}
