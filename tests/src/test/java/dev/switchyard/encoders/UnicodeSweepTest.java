package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.switchyard.kernels.data.CounterRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Code points in words, every assigned one, against the Hugging Face library with a vocabulary that
 * has every assigned code point by itself and as a piece of a word: what becomes of each shows in
 * the ids.
 */
@Tag("full")
class UnicodeSweepTest {
  private static final int WORDS_A_TEXT = 500;

  private static final List<String> EVERYTHING = everything();

  private static List<String> everything() {
    List<String> tokens = new ArrayList<>();
    codePoints()
        .filter(c -> !Character.isIdeographic(c) && Character.isDefined(c) && !isPrivate(c))
        .filter(c -> c < 0xac00 || c > 0xd7ff) // Hangul decomposes into what is there
        .filter(c -> c >= ' ')
        .mapToObj(Character::toString)
        .forEach(
            c -> {
              tokens.add(c);
              tokens.add("##" + c);
            });
    return tokens;
  }

  private static boolean isPrivate(int c) {
    return Character.getType(c) == Character.PRIVATE_USE;
  }

  private static IntStream codePoints() {
    return IntStream.rangeClosed(0, Character.MAX_CODE_POINT)
        .filter(c -> Character.getType(c) != Character.SURROGATE);
  }

  @ParameterizedTest
  @CsvSource({"true, true, null, true", "true, false, true, false", "false, false, false, true"})
  void everyAssignedCodePoint(boolean clean, boolean chinese, String accents, boolean lowercase) {
    TokenizerJson json =
        new TokenizerJson(EVERYTHING).normalizer(clean, chinese, accents, lowercase);
    compare(
        json,
        codePoints()
            .filter(c -> Character.isDefined(c) && !isPrivate(c))
            .filter(c -> chinese || !Character.isIdeographic(c) || c % 97 == 0)
            .mapToObj(UnicodeSweepTest::word));
  }

  /** Private and unassigned ones; of the planes that hold nothing else one in 31. */
  @Test
  void otherCodePoints() {
    compare(
        new TokenizerJson(List.of("a", "b", "##b")),
        codePoints()
            .filter(c -> !Character.isDefined(c) || isPrivate(c))
            .filter(c -> c < 0x20000 || c >> 16 == 14 || c % 31 == 0)
            .mapToObj(UnicodeSweepTest::word));
  }

  /** Marks that stay and marks that go, in any order, between letters. */
  @Test
  void runsOfMarksInAnyOrder() {
    int[] marks = codePoints().filter(UnicodeSweepTest::isMark).toArray();
    int[] thatStay = IntStream.of(marks).filter(c -> !CodePoints.isAccent(c)).toArray();
    compare(
        new TokenizerJson(EVERYTHING),
        IntStream.range(0, 10_000)
            .mapToObj(
                i -> {
                  StringBuilder word = new StringBuilder("a");
                  for (int k = 0; k < 2 + i % 5; k++) {
                    int bits = CounterRandom.bits(i, k);
                    int[] from = bits < 0 ? marks : thatStay;
                    word.appendCodePoint(from[(bits & Integer.MAX_VALUE) % from.length]);
                  }
                  return word.append("b").toString();
                }));
  }

  private static boolean isMark(int c) {
    int type = Character.getType(c);
    return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
  }

  private static String word(int c) {
    return "a" + Character.toString(c) + "b";
  }

  private static void compare(TokenizerJson json, Stream<String> all) {
    WordPieceTokenizer ours = json.ours();
    List<String> differing = new ArrayList<>();
    try (HuggingFaceTokenizer theirs = json.theirs()) {
      List<String> words = all.toList();
      assertThat(words).hasSizeGreaterThanOrEqualTo(10_000);
      for (int from = 0; from < words.size(); from += WORDS_A_TEXT) {
        List<String> part = words.subList(from, Math.min(words.size(), from + WORDS_A_TEXT));
        if (!Arrays.equals(ids(ours, String.join(" ", part)), ids(theirs, part))) {
          part.stream()
              .filter(word -> !Arrays.equals(ids(ours, word), ids(theirs, List.of(word))))
              .map(UnicodeSweepTest::hex)
              .forEach(differing::add);
        }
      }
    }
    assertThat(differing).isEmpty();
  }

  private static String hex(String word) {
    return word.codePoints().mapToObj(Integer::toHexString).collect(Collectors.joining(" "));
  }

  private static long[] ids(WordPieceTokenizer ours, String text) {
    return IntStream.of(ours.encode(text)).asLongStream().toArray();
  }

  private static long[] ids(HuggingFaceTokenizer theirs, List<String> words) {
    return theirs.encode(String.join(" ", words)).getIds();
  }
}
