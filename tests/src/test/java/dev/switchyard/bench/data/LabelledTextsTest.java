package dev.switchyard.bench.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
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
      out.write("x\tä\nx\t\ny\tc\ny\td".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(LabelledTexts.load(file).texts()).containsExactly("ä", "", "c", "d");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "a|1\\na; line 2 of",
        "a|1\\n|2; line 2 of",
        "a|1\\na|2|3; line 2 of",
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
