package dev.switchyard.bench.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.fuzz.Damage;
import dev.switchyard.fuzz.FileFormat;
import dev.switchyard.fuzz.FileFuzz;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Data sets are read as they are or refused, see {@link FileFuzz}. */
class DamagedFilesTest {
  private static final byte[] IMAGES = IdxBytes.idx(60, IdxBytes.IMAGES, 5, 3, 4);
  private static final byte[] LABELS = IdxBytes.idx(5, IdxBytes.LABELS, 5);
  private static final byte[] MAILS =
      "ham\tdear é\nspam\tbuy \ud83d\ude00 now\nham\t.\nspam\tbuy, buy\n"
          .repeat(3)
          .getBytes(StandardCharsets.UTF_8);

  @TempDir private Path folder;

  static Stream<FileFormat> formats() {
    return Stream.of(
        FileFormat.of("images.idx", IMAGES, DamagedFilesTest::readImages, DataException.class),
        FileFormat.of("labels.idx", LABELS, DamagedFilesTest::readLabels, DataException.class),
        gzipped("images.idx.gz", IMAGES, DamagedFilesTest::readImages),
        FileFormat.of("mails.tsv", MAILS, DamagedFilesTest::readTexts, DataException.class),
        gzipped("mails.tsv.gz", MAILS, DamagedFilesTest::readTexts));
  }

  /** Damaged before or after it is compressed. */
  private static FileFormat gzipped(String file, byte[] sample, FileFormat.Reader reader) {
    byte[] compressed = IdxBytes.gzip(sample);
    return FileFormat.of(
        file,
        compressed,
        random ->
            random.nextBoolean()
                ? IdxBytes.gzip(Damage.of(sample, random))
                : Damage.of(compressed, random),
        reader,
        DataException.class);
  }

  private static void readImages(Path file) {
    IdxFile images = IdxFile.read(file, 3);
    assertThat(images.values()).hasSize(images.length(0) * images.length(1) * images.length(2));
  }

  private static void readLabels(Path file) throws IOException {
    IdxFile images = IdxFile.read("images", new ByteArrayInputStream(IMAGES), 3);
    ImageDataset data = ImageDataset.of(images, IdxFile.read(file, 1), 10);
    for (int i = 0; i < data.count(); i++) {
      assertThat(data.label(i)).isBetween(0, 9);
    }
  }

  private static void readTexts(Path file) {
    LabelledTexts texts = LabelledTexts.load(file);
    assertThat(texts.labels()).hasSize(texts.count()).hasSizeGreaterThan(3);
    LabelledTexts.Split split = texts.split(0.5, 1);
    assertThat(split.training().count() + split.test().count()).isEqualTo(texts.count());
  }

  @ParameterizedTest
  @MethodSource("formats")
  void readOrRefused(FileFormat format) throws IOException {
    FileFuzz.check(format, folder);
  }
}
