package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files as they are found in the wild, drawn at random, and the ids of the Hugging Face library.
 */
class TokenizerVariantsTest {
  private static final List<String> LETTERS =
      List.of(
          "a", "b", "A", "B", "é", "É", "e\u0301", "_", "1", ",", "<", ">", "[", " ", "  ", "\t",
          "\u00a0", "\u200d", "中", "\u0301", "ß", "x", "\u0000");

  @TempDir Path folder;

  private static <T> T draw(SplittableRandom random, List<T> of) {
    return of.get(random.nextInt(of.size()));
  }

  private static String text(SplittableRandom random, int letters) {
    return IntStream.range(0, letters)
        .mapToObj(_ -> draw(random, LETTERS))
        .collect(Collectors.joining());
  }

  /** A file with any added tokens, sections of any form that is read, and words of few letters. */
  private static TokenizerJson file(SplittableRandom random, List<String> added) {
    LinkedHashSet<String> words =
        new LinkedHashSet<>(List.of("a", "b", "##a", "##b", "ab", "e", "é", "x", ",", "_", "中"));
    TokenizerJson json = new TokenizerJson(List.copyOf(words));
    json.normalizer(
        random.nextBoolean(),
        random.nextBoolean(),
        draw(random, List.of("null", "true", "false")),
        random.nextBoolean());
    json.wrap("normalizer", draw(random, List.of("%s", "%s", "null", sequence("normalizers"))));
    json.wrap("pre_tokenizer", draw(random, List.of("%s", sequence("pretokenizers"))));
    json.wrap("post_processor", draw(random, List.of("%s", "null", sequence("processors"))));
    if (random.nextBoolean()) {
      json.replace("model", "\"type\":\"WordPiece\",", "");
    }
    LinkedHashSet<String> texts = new LinkedHashSet<>();
    int count = random.nextInt(5);
    for (int i = 0; i < count; i++) {
      String text = text(random, 1 + random.nextInt(3));
      if (!text.isBlank()
          && text.codePoints().anyMatch(c -> c > ' ' && c != 0x301 && c != 0x200d)) {
        texts.add(text);
      }
    }
    List<String> tokens = new ArrayList<>(List.of(TokenizerJson.special("[UNK]", 0)));
    int id = 3 + words.size();
    for (String text : texts) {
      int known = List.copyOf(words).indexOf(text);
      tokens.add(
          String.format(
              Locale.ROOT,
              "{\"id\":%d,\"content\":\"%s\",\"single_word\":%b,\"lstrip\":%b,\"rstrip\":%b,"
                  + "\"normalized\":%b,\"special\":%b}",
              known < 0 ? id++ : 3 + known,
              text.replace("\t", "\\t").replace("\u0000", "\\u0000"),
              random.nextBoolean(),
              random.nextBoolean(),
              random.nextBoolean(),
              random.nextBoolean(),
              random.nextBoolean()));
    }
    added.addAll(texts);
    return json.put("added_tokens", "[" + String.join(",", tokens) + "]");
  }

  private static String sequence(String items) {
    return "{\"type\":\"Sequence\",\"" + items + "\":[%s]}";
  }

  @Test
  void idsAreTheirs() {
    for (int seed = 0; seed < 150; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      List<String> added = new ArrayList<>();
      TokenizerJson json = file(random, added);
      WordPieceTokenizer ours = json.ours();
      try (HuggingFaceTokenizer theirs = json.theirs()) {
        for (int i = 0; i < 40; i++) {
          StringBuilder text = new StringBuilder();
          for (int part = random.nextInt(8); part > 0; part--) {
            text.append(
                added.isEmpty() || random.nextBoolean()
                    ? text(random, 1 + random.nextInt(4))
                    : draw(random, added));
          }
          assertThat(IntStream.of(ours.encode(text.toString())).asLongStream().toArray())
              .as("seed %d: \"%s\" in %s", seed, text, json)
              .isEqualTo(theirs.encode(text.toString()).getIds());
        }
      }
    }
  }

  /** Ids are the numbers of lines; the rest is as in the file that has everything. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aVocabularyAlone(boolean lowercases) throws IOException {
    List<String> words = List.of("a", "##b", "é", "É", "e", "[MASK]", "中");
    Path file = folder.resolve("vocab.txt");
    Files.writeString(file, "[UNK]\n[CLS]\n[SEP]\n" + String.join("\r\n", words) + "\n");
    if (!lowercases) {
      Files.writeString(folder.resolve("tokenizer_config.json"), "{\"do_lower_case\":false}");
    }
    WordPieceTokenizer ours = WordPieceTokenizer.read(file);
    WordPieceTokenizer whole =
        new TokenizerJson(words)
            .put(
                "added_tokens",
                "["
                    + TokenizerJson.special("[MASK]", 8)
                    + ","
                    + TokenizerJson.special("[SEP]", 2)
                    + "]")
            .normalizer(true, true, "null", lowercases)
            .ours();
    assertThat(ours.vocabularySize()).isEqualTo(10);
    for (String text : List.of("", "ab É[MASK]é中", "e [SEP] [mask]", "AB\u200b")) {
      assertThat(ours.encode(text)).as(text).isEqualTo(whole.encode(text));
    }
  }

  /** One word of the longest piece, again and again: each try of a shorter one cost its length. */
  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void longWordsTakeNoLongerThanTheyAre() {
    String longest = "##" + "b".repeat(9_998);
    WordPieceTokenizer tokenizer =
        new TokenizerJson(List.of("a", "##a", longest)).replace("model", ":100", ":10000").ours();
    String word = "a".repeat(10_000);
    int[] ids = tokenizer.encode((word + " ").repeat(20));
    assertThat(ids).hasSize(20 * 10_000 + 2);
    assertThat(tokenizer.encode("a".repeat(10_001))).containsExactly(1, 0, 2);
  }

  /** Each token looked at all white space before it, or behind it, again. */
  @ParameterizedTest
  @ValueSource(strings = {"lstrip", "rstrip"})
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void whiteSpaceAroundTokensIsLookedAtOnce(String strip) {
    String space =
        TokenizerJson.special(" ", 4).replace("\"" + strip + "\":false", "\"" + strip + "\":true");
    WordPieceTokenizer tokenizer =
        new TokenizerJson(List.of("a")).put("added_tokens", "[" + space + "]").ours();
    assertThat(tokenizer.encode(" ".repeat(1_000_000))).hasSize(1_000_000 + 2);
  }

  /** Lists of tokens that are named again and again make more than the file has. */
  @Test
  void asManyTokensAroundATextAsThereIsUseFor() {
    TokenizerJson most =
        new TokenizerJson(List.of("a")).around(Collections.nCopies(1024, "[CLS]"), List.of());
    assertThat(most.ours().encode("a")).hasSize(1025);
    TokenizerJson more =
        new TokenizerJson(List.of("a")).around(List.of(), Collections.nCopies(1025, "[SEP]"));
    assertThatThrownBy(more::ours)
        .hasRootCauseInstanceOf(ModelFileException.class)
        .hasMessageContaining("(expected at most 1024 tokens on either side of a text)");
  }

  /** Each place of a text was compared with each token that begins with its letter. */
  @Tag("full")
  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void manyAddedTokensTakeNoLongerThanFew() {
    String tokens =
        IntStream.range(0, 300_000)
            .mapToObj(i -> TokenizerJson.special("a#" + i + "#", 4 + i))
            .collect(Collectors.joining(",", "[", "]"));
    WordPieceTokenizer tokenizer =
        new TokenizerJson(List.of("a")).put("added_tokens", tokens).ours();
    int[] ids = tokenizer.encode("a ".repeat(200_000) + "a#299999#a#7#");
    assertThat(ids).hasSize(200_000 + 4).endsWith(4 + 299_999, 4 + 7, 2);
  }
}
