package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.switchyard.kernels.data.CounterRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ids of the Hugging Face library, for the vocabulary of a real model and any text. */
class WordPieceTokenizerTest {
  private static final WordPieceTokenizer OURS = MiniLm.tokenizer();
  private static final HuggingFaceTokenizer THEIRS = TokenizerJson.theirs(MiniLm.tokenizerFile());

  /** What the generated texts are made of. */
  private static final List<String> SCRAPS =
      List.of(
          "the",
          "Quick",
          "JUMPED",
          "unaffable",
          "antidisestablishmentarianism",
          "don't",
          "3.14159",
          "x",
          "zzzzqqqq",
          "naïve",
          "Ünïcödé",
          "façade",
          "İstanbul",
          "ẞtraße",
          "Σίσυφος",
          "ΟΔΟΣ",
          "Ελλάδα",
          "привет",
          "Ёлка",
          "中文",
          "東京都",
          "漢字かな",
          "ｶﾀｶﾅ",
          "한국어",
          "각",
          "ไทย",
          "हिन्दी",
          "العربية",
          "עברית",
          "\u05e9\u05c1",
          "👩‍👩‍👧",
          "🙂",
          "🏳️‍🌈",
          "e\u0301",
          "e\u0301\u0323",
          "a\u0323\u0301",
          "\u0301",
          "\u0345\u0301",
          "\u212b",
          "\u2126",
          "\ufb01",
          "\u01c5",
          "\u200b",
          "\u200d",
          "\u00ad",
          "\ufeff",
          "\ufffd",
          "\u0000",
          "\u0007",
          "\u001b",
          "\u0085",
          "\u00a0",
          "\u2003",
          "\u2028",
          "\u3000",
          "\t",
          "\n",
          "\r\n",
          "  ",
          "\u180e",
          "\u1680",
          "[CLS]",
          "[SEP]",
          "[PAD]",
          "[MASK]",
          "[UNK]",
          "[unused7]",
          "[cls]",
          "[CLS",
          "CLS]",
          "[[SEP]]",
          "##ing",
          "#",
          "-",
          "--",
          "—",
          "…",
          "“quoted”",
          "a-b_c",
          "$5",
          "^",
          "`",
          "|",
          "~",
          "£",
          "€",
          "\ud83d\ude00",
          "\ud835\udc00",
          "\udb40\udc41",
          "\ue000",
          "\u0378",
          "\uffff",
          "。",
          "！",
          "\u0e01\u0e33",
          "\u1e9b\u0323",
          "\uac00\u11a8",
          "\u0344",
          "\u0f73",
          "\u302e\u0301x");

  @AfterAll
  static void close() {
    THEIRS.close();
  }

  private static String text(int seed, int scraps) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < scraps; i++) {
      int bits = CounterRandom.bits(seed, i);
      text.append(SCRAPS.get(Integer.remainderUnsigned(bits, SCRAPS.size())));
      text.append((bits & 0x30000000) == 0 ? "" : " ");
    }
    return text.toString();
  }

  private static void assertSame(String text) {
    assertThat(IntStream.of(OURS.encode(text)).asLongStream().toArray())
        .as(text)
        .isEqualTo(THEIRS.encode(text).getIds());
  }

  @Test
  void scrapsOfAllKinds() {
    SCRAPS.forEach(scrap -> assertSame(scrap));
    SCRAPS.forEach(scrap -> assertSame("a" + scrap + "b" + scrap));
  }

  @Test
  void generatedTexts() {
    for (int seed = 0; seed < 4000; seed++) {
      assertSame(text(seed, 1 + seed % 40));
    }
  }

  /** Any code points at all, half of them from the first two blocks with many marks and spaces. */
  @Test
  void randomCodePoints() {
    for (int seed = 0; seed < 2000; seed++) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < 30; i++) {
        int bits = CounterRandom.bits(seed, i) >>> 1;
        int c = bits % (bits >> 30 == 0 ? 0x400 : 0x30000);
        text.appendCodePoint(Character.getType(c) == Character.SURROGATE ? ' ' : c);
      }
      assertSame(text.toString());
    }
  }

  @Test
  void emptyAndBlankTexts() {
    Stream.of("", " ", "\n\t ", "\u0000", "\u200b").forEach(text -> assertSame(text));
    assertThat(OURS.encode("")).containsExactly(101, 102);
  }

  @Test
  void wordsAroundTheLongestThatIsCut() {
    for (String letter : List.of("a", "é", "e\u0301", "\ud835\udc00", "한", "\u302e")) {
      for (int length = 95; length < 105; length++) {
        assertSame(letter.repeat(length));
        assertSame("x " + letter.repeat(length) + " y");
      }
    }
  }

  @Test
  void halfASurrogatePairIsRemoved() {
    assertThat(OURS.encode("a\ud83db \udc00")).isEqualTo(OURS.encode("ab"));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 10, 128})
  void cutTextsBeginAsWholeOnes(int maxTokens) {
    for (int seed = 0; seed < 300; seed++) {
      String text = text(seed, 1 + seed % 40);
      int[] whole = OURS.encode(text);
      int[] cut = OURS.encode(text, maxTokens);
      int[] expected = Arrays.copyOf(whole, Math.min(maxTokens, whole.length));
      expected[expected.length - 1] = 102;
      assertThat(cut).as(text).isEqualTo(expected);
    }
  }

  @Test
  void thereIsRoomForTheTokensAround() {
    assertThatThrownBy(() -> OURS.encode("a", 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxTokens is 1 (expected 2 or more)");
  }

  /**
   * Ten million characters of each kind that could cost more than their length. What is quadratic
   * takes hours.
   */
  @Tag("full")
  @Test
  void longLines() {
    int n = 10_000_000;
    for (String scrap :
        List.of(
            "a",
            "a ",
            "[",
            "[CLS]",
            "\u0301\u0323",
            "\u302e\u1b44",
            "\u1b44",
            "中",
            "antidis",
            "\t",
            "é")) {
      String text = scrap.repeat(n / scrap.length());
      assertThat(OURS.encode(text, 512)).hasSizeLessThanOrEqualTo(512);
      if (scrap.length() > 1) {
        int[] ids = OURS.encode(text);
        assertThat(ids[ids.length - 1]).isEqualTo(102);
      }
    }
  }

  @Test
  void longLinesAreTheirsToo() {
    String text = text(5, 30_000);
    assertThat(text.length()).isGreaterThan(100_000);
    assertSame(text);
  }

  @Test
  void manyThreadsAtOnce() {
    Map<Integer, int[]> found = new ConcurrentHashMap<>();
    IntStream.range(0, 2000).parallel().forEach(i -> found.put(i, OURS.encode(text(i, 20))));
    found.forEach((i, ids) -> assertThat(ids).isEqualTo(OURS.encode(text(i, 20))));
  }

  @Test
  void knowsTheSizeOfItsVocabulary() {
    assertThat(OURS.vocabularySize()).isEqualTo(30_522);
  }

  @Test
  void addedTokensBeyondTheVocabularyAndTheLongestOfSeveral() {
    TokenizerJson json =
        new TokenizerJson(List.of("a", "##a", "b", "<", ">", "s"))
            .put(
                "added_tokens",
                "["
                    + String.join(
                        ",",
                        TokenizerJson.special("[UNK]", 0),
                        TokenizerJson.special("<s", 9),
                        TokenizerJson.special("<s>", 10),
                        TokenizerJson.special("a", 3))
                    + "]");
    WordPieceTokenizer ours = json.ours();
    try (HuggingFaceTokenizer theirs = json.theirs()) {
      for (String text : List.of("<s>a", "<sa>", "b<s<s>>", "aab", "A<S>", "<<s>", "ba a")) {
        assertThat(IntStream.of(ours.encode(text)).asLongStream().toArray())
            .as(text)
            .isEqualTo(theirs.encode(text).getIds());
      }
    }
    assertThat(ours.vocabularySize()).isEqualTo(11);
  }

  @Test
  void piecesHaveNames() {
    WordPieceTokenizer tokenizer = new TokenizerJson(List.of("ab", "##c")).ours();
    assertThat(tokenizer.piece(0)).isEqualTo("[UNK]");
    assertThat(tokenizer.piece(4)).isEqualTo("##c");
    assertThatThrownBy(() -> tokenizer.piece(5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no token has the id 5 (expected 0 to 4)");
  }
}
