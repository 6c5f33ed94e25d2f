package dev.switchyard.bench.data;

import static dev.switchyard.bench.data.IdxBytes.IMAGES;
import static dev.switchyard.bench.data.IdxBytes.LABELS;
import static dev.switchyard.bench.data.IdxBytes.gzip;
import static dev.switchyard.bench.data.IdxBytes.idx;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdxFileTest {
  private static final byte[] GOOD = idx(24, IMAGES, 2, 3, 4);

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void readsShapeAndValues(boolean gzipped) throws IOException {
    IdxFile file = read(gzipped ? gzip(GOOD) : GOOD);

    assertThat(file.length(0)).isEqualTo(2);
    assertThat(file.length(1)).isEqualTo(3);
    assertThat(file.length(2)).isEqualTo(4);
    assertThat(file.values()).hasSize(24).startsWith(0, 1, 2).endsWith(22, 23);
  }

  @Test
  void readsAGzippedFileWhateverItsName() throws IOException {
    Path path = Files.write(folder.resolve("no-suffix"), gzip(idx(5, LABELS, 5)));

    assertThat(IdxFile.read(path, 1).values()).containsExactly(0, 1, 2, 3, 4);
  }

  @Test
  void missingFile() {
    Path path = folder.resolve("absent");

    assertThatThrownBy(() -> IdxFile.read(path, 3))
        .isInstanceOf(DataException.class)
        .hasMessage(path + " does not exist (expected an IDX file, gzipped or not)");
  }

  @Test
  void folderInPlaceOfAFile() {
    assertThatThrownBy(() -> IdxFile.read(folder, 3))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(folder + " cannot be read: ")
        .hasMessageEndingWith("(expected an IDX file)");
  }

  @Test
  void emptyFile() {
    assertRefused(
        new byte[0], "x is truncated: it ends after 0 bytes (expected an IDX header of 16)");
  }

  @Test
  void headerCutShort() {
    assertRefused(
        Arrays.copyOf(GOOD, 11),
        "x is truncated: it ends after 11 bytes (expected an IDX header of 16)");
  }

  @Test
  void anotherFormat() {
    assertRefused(
        idx(24, 0x89504e47, 2, 3, 4),
        "x starts with 0x89504e47 (expected 0x00000803: IDX, unsigned bytes, 3 dimensions)");
  }

  @Test
  void anotherType() {
    assertRefused(
        idx(96, 0x0d03, 2, 3, 4),
        "x starts with 0x00000d03 (expected 0x00000803: IDX, unsigned bytes, 3 dimensions)");
  }

  @Test
  void anotherRank() {
    byte[] labels = idx(5, LABELS, 5);

    assertRefused(
        labels,
        "x starts with 0x00000801 (expected 0x00000803: IDX, unsigned bytes, 3 dimensions)");
    assertThatThrownBy(() -> IdxFile.read("x", new ByteArrayInputStream(GOOD), 1))
        .hasMessage(
            "x starts with 0x00000803 (expected 0x00000801: IDX, unsigned bytes, 1 dimension)");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void valuesCutShort(boolean gzipped) {
    byte[] bytes = Arrays.copyOf(GOOD, GOOD.length - 1);

    assertRefused(
        gzipped ? gzip(bytes) : bytes, "x is truncated: it holds 23 values (expected 2x3x4 = 24)");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bytesBehindTheValues(boolean gzipped) {
    byte[] bytes = Arrays.copyOf(GOOD, GOOD.length + 1);

    assertRefused(
        gzipped ? gzip(bytes) : bytes,
        "x holds more values than its header says (expected 2x3x4 = 24)");
  }

  @Test
  void noImages() {
    assertRefused(
        idx(0, IMAGES, 0, 3, 4),
        "x has a header of 0x3x4 values (expected lengths from 1 and a product up to 268435456)");
  }

  /** Each would need more memory than the test JVM has, were it taken at its word. */
  @Test
  void headerThatAnnouncesMoreThanMemoryHolds() {
    assertRefused(
        idx(24, IMAGES, Integer.MAX_VALUE, 28, 28),
        "x has a header of 2147483647x28x28 values"
            + " (expected lengths from 1 and a product up to 268435456)");
    assertRefused(
        idx(24, IMAGES, -1, 28, 28),
        "x has a header of 4294967295x28x28 values"
            + " (expected lengths from 1 and a product up to 268435456)");
    // The product is 0 in 64 bits.
    assertRefused(
        idx(24, IMAGES, 1 << 30, 1 << 30, 1 << 4),
        "x has a header of 1073741824x1073741824x16 values"
            + " (expected lengths from 1 and a product up to 268435456)");
  }

  @Test
  void largestHeaderCostsNoMemoryBeforeThereAreValues() {
    Runtime runtime = Runtime.getRuntime();
    long before = runtime.totalMemory() - runtime.freeMemory();

    assertRefused(
        idx(24, IMAGES, 1 << 18, 1 << 5, 1 << 5),
        "x is truncated: it holds 24 values (expected 262144x32x32 = 268435456)");

    long after = runtime.totalMemory() - runtime.freeMemory();
    assertThat(after - before).isLessThan(1L << 27);
  }

  @Test
  void everyTruncationOfAGzipStream() {
    byte[] bytes = gzip(GOOD);
    for (int length = 2; length < bytes.length; length++) {
      assertRefused(
          Arrays.copyOf(bytes, length),
          "x is truncated: its gzip stream stops after "
              + length
              + " bytes (expected a complete stream)");
    }
  }

  @Test
  void checksumThatDoesNotMatch() {
    byte[] bytes = gzip(GOOD);
    bytes[bytes.length - 8] ^= 1;

    assertRefused(
        bytes,
        "x is corrupt: Corrupt GZIP trailer (expected a gzip stream that passes its own check)");
  }

  /** Some bits only fill up a byte; where such a bit flips, the values are still the right ones. */
  @Test
  void noFlippedBitOfACompressedFileGivesWrongValues() throws IOException {
    byte[] good = gzip(GOOD);
    byte[] values = read(good).values();
    int refused = 0;
    for (int bit = 0; bit < 8 * good.length; bit++) {
      byte[] bad = good.clone();
      bad[bit / 8] ^= (byte) (1 << bit % 8);
      try {
        assertThat(read(bad).values()).isEqualTo(values);
      } catch (DataException e) {
        refused++;
      }
    }
    // All of the magic number, the body and the trailer; not the header's time and system.
    assertThat(refused).isGreaterThan(8 * (good.length - 10));
  }

  @Test
  void bytesBehindAGzipStream() {
    byte[] bytes = gzip(GOOD);

    assertRefused(
        Arrays.copyOf(bytes, bytes.length + 3),
        "x has 3 bytes after its gzip stream (expected none)");
  }

  private static IdxFile read(byte[] bytes) throws IOException {
    return IdxFile.read("x", new ByteArrayInputStream(bytes), 3);
  }

  private static void assertRefused(byte[] bytes, String sentence) {
    assertThatThrownBy(() -> read(bytes)).isInstanceOf(DataException.class).hasMessage(sentence);
  }
}
