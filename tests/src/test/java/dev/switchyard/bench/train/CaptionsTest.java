package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CaptionsTest {
  private static final int CLASSES = 10;
  private static final long KEY = 12345;

  private final Captions captions = new Captions();

  @Test
  void textsAreFramedAndWithinTheVocabulary() {
    for (int label = 0; label < CLASSES; label++) {
      for (int draw = 0; draw < 100; draw++) {
        assertWellFormed(captions.draw(label, KEY, draw));
      }
      captions.prompts(label).forEach(this::assertWellFormed);
    }
  }

  private void assertWellFormed(int... ids) {
    assertThat(ids.length).isBetween(3, captions.longest());
    assertThat(ids[0]).isEqualTo(0);
    assertThat(ids[ids.length - 1]).isEqualTo(1);
    for (int word : Arrays.copyOfRange(ids, 1, ids.length - 1)) {
      assertThat(word).isBetween(2, captions.vocabulary() - 1);
    }
  }

  /** What a text says decides its class; no prompt is a text that was trained with. */
  @Test
  void textsOfClassesDifferAndPromptsAreNew() {
    Set<List<Integer>> seen = new HashSet<>();
    for (int label = 0; label < CLASSES; label++) {
      Set<List<Integer>> ofClass = new HashSet<>();
      for (int draw = 0; draw < 1000; draw++) {
        ofClass.add(boxed(captions.draw(label, KEY, draw)));
      }
      assertThat(ofClass).hasSizeGreaterThanOrEqualTo(8);
      ofClass.forEach(text -> assertThat(seen.add(text)).as("new: %s", text).isTrue());
    }
    for (int label = 0; label < CLASSES; label++) {
      for (int[] prompt : captions.prompts(label)) {
        assertThat(seen).doesNotContain(boxed(prompt));
      }
    }
  }

  private static List<Integer> boxed(int... ids) {
    return Arrays.stream(ids).boxed().toList();
  }

  @Test
  void equalDrawsGiveEqualTexts() {
    assertThat(captions.draw(3, KEY, 7)).isEqualTo(new Captions().draw(3, KEY, 7));
  }
}
