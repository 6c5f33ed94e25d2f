package dev.switchyard.bench.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of labels and texts. */
class LabelledTextsTest {
  @TempDir Path folder;

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("texts.tsv"), content.replace('|', '\t'));
  }

  @Test
  void shippedMails() {
    LabelledTexts mails = LabelledTexts.shipped();
    assertThat(mails.classes()).containsExactly("easy ham", "hard ham", "spam");
    assertThat(mails.count()).isEqualTo(3040);
    assertThat(Collections.frequency(mails.labels(), 0)).isEqualTo(1650);
    assertThat(Collections.frequency(mails.labels(), 1)).isEqualTo(240);
    assertThat(mails.texts()).doesNotHaveDuplicates().allMatch(text -> text.length() <= 1000);
  }

  @Test
  void splitsEachClassAlike() {
    LabelledTexts mails = LabelledTexts.shipped();
    LabelledTexts.Split split = mails.split(0.2, 1);
    assertThat(split.test().count()).isEqualTo(330 + 48 + 230);
    assertThat(Collections.frequency(split.test().labels(), 1)).isEqualTo(48);
    Set<String> training = new HashSet<>(split.training().texts());
    assertThat(training).hasSize(3040 - 608).doesNotContainAnyElementsOf(split.test().texts());
    assertThat(mails.split(0.2, 1)).isEqualTo(split);
    assertThat(mails.split(0.2, 2)).isNotEqualTo(split);
    for (int i = 0; i < split.test().count(); i++) {
      int at = mails.texts().indexOf(split.test().texts().get(i));
      assertThat(split.test().labels().get(i)).isEqualTo(mails.labels().get(at));
    }
  }

  @Test
  void everyClassIsOnBothSides() throws IOException {
    LabelledTexts few = LabelledTexts.load(file("a|1\na|2\nb|3\nb|4\nb|5\n"));
    LabelledTexts.Split split = few.split(0.01, 1);
    assertThat(split.test().labels()).containsExactly(0, 1);
    assertThat(few.split(0.99, 1).training().labels()).containsExactly(0, 1);
  }

  @Test
  void readsCompressedFiles() throws IOException {
    Path file = folder.resolve("texts.tsv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write("x\tä\nx\tb\ny\tc\ny\td".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(LabelledTexts.load(file).texts()).containsExactly("ä", "b", "c", "d");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "a|1\\na; line 2 of",
        "a|1\\n|2; line 2 of",
        "a|1\\na|2|3; line 2 of",
        "a|1\\na|; line 2 of",
        "a|1\\na|  ; line 2 of",
        "a|1\\n\\na|2; line 2 of",
        "a|1\\na|2; has 1 classes (expected two or more)",
        "a|1\\na|2\\nb|3; has a single text of class b (expected two or more)"
      })
  void refusesOthers(String content, String message) throws IOException {
    Path file = file(content.replace("\\n", "\n"));
    assertThatThrownBy(() -> LabelledTexts.load(file))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("texts.tsv");
  }

  /** A line of a gigabyte in a kilobyte, or one that never ends. */
  @Test
  void refusesALineThatIsNoText() throws IOException {
    Path file = folder.resolve("texts.tsv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      for (int i = 0; i < 40; i++) {
        out.write(new byte[1 << 16]);
      }
    }
    assertThatThrownBy(() -> LabelledTexts.load(file))
        .isInstanceOf(DataException.class)
        .hasMessage("line 1 of " + file + " is longer than 1,048,576 bytes");
  }

  @Test
  void aCompressedFileThatIsCutOffIsASentence() throws IOException {
    Path file = folder.resolve("texts.tsv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write("x\ta\nx\tb\ny\tc\ny\td".getBytes(StandardCharsets.UTF_8));
    }
    byte[] bytes = Files.readAllBytes(file);
    for (int length : new int[] {0, 5, bytes.length - 9, bytes.length - 1}) {
      Files.write(file, Arrays.copyOf(bytes, length));
      assertThatThrownBy(() -> LabelledTexts.load(file))
          .isInstanceOf(DataException.class)
          .hasMessage(
              file + " cannot be read: it ends too soon (expected a file of labels and texts)");
    }
  }

  /** With a look through all classes for each text, or through all texts for each, for hours. */
  @Test
  void hasAsManyClassesAsThereAre() throws IOException {
    StringBuilder content = new StringBuilder();
    for (int i = 0; i < 200_000; i++) {
      content.append("class ").append(i / 2).append("|text ").append(i).append('\n');
    }
    LabelledTexts texts = LabelledTexts.load(file(content.toString()));
    assertThat(texts.classes()).hasSize(100_000);
    LabelledTexts.Split split = texts.split(0.2, 1);
    assertThat(split.test().count()).isEqualTo(100_000);
    assertThat(split.test().byClass()).allMatch(of -> of.size() == 1);
  }

  @Test
  void theFingerprintIsThatOfAllThatMatters() {
    List<String> classes = List.of("Aa", "BB"); // whose 32-bit hashes are equal
    LabelledTexts texts =
        new LabelledTexts(classes, List.of("one", "two", "three"), List.of(0, 1, 1));
    List<LabelledTexts> others =
        List.of(
            new LabelledTexts(List.of("BB", "Aa"), texts.texts(), texts.labels()),
            new LabelledTexts(classes, List.of("one", "two", "threE"), texts.labels()),
            new LabelledTexts(classes, List.of("two", "one", "three"), texts.labels()),
            new LabelledTexts(classes, List.of("onetwo", "", "three"), texts.labels()),
            new LabelledTexts(classes, List.of("Aa", "two", "three"), texts.labels()),
            new LabelledTexts(classes, List.of("BB", "two", "three"), texts.labels()),
            new LabelledTexts(classes, texts.texts(), List.of(1, 1, 1)),
            new LabelledTexts(classes, texts.texts(), List.of(0, 1, 0)),
            new LabelledTexts(classes, List.of("one", "two"), List.of(0, 1)));
    Set<String> fingerprints = new HashSet<>(Set.of(texts.fingerprint()));
    for (LabelledTexts other : others) {
      assertThat(fingerprints.add(other.fingerprint())).as("%s", other).isTrue();
    }
    assertThat(new LabelledTexts(classes, texts.texts(), texts.labels()).fingerprint())
        .isEqualTo(texts.fingerprint())
        .matches("3 texts with SHA-256 [0-9a-f]{64}");
  }

  @Test
  void refusesBytesThatAreNoText() throws IOException {
    Path file = folder.resolve("texts.tsv");
    Files.write(file, new byte[] {'a', '\t', (byte) 0xff, '\n'});
    assertThatThrownBy(() -> LabelledTexts.load(file))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("is not UTF-8");
    assertThatThrownBy(() -> LabelledTexts.load(folder.resolve("none")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("none cannot be read");
  }
}
