package dev.switchyard.bench.data;

import static dev.switchyard.bench.data.IdxBytes.IMAGES;
import static dev.switchyard.bench.data.IdxBytes.LABELS;
import static dev.switchyard.bench.data.IdxBytes.gzip;
import static dev.switchyard.bench.data.IdxBytes.idx;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FashionMnistTest {
  @TempDir private Path folder;

  @Test
  void shippedDataHasTheStatedSizesAndIsBalanced() {
    FashionMnist data = FashionMnist.shipped();

    assertThat(data.training().count()).isEqualTo(12_000);
    assertThat(data.test().count()).isEqualTo(2_000);
    for (ImageDataset part : new ImageDataset[] {data.training(), data.test()}) {
      assertThat(part.rows()).isEqualTo(28);
      assertThat(part.columns()).isEqualTo(28);
      assertThat(part.classes()).isEqualTo(10);
      int[] perClass = new int[10];
      IntStream.range(0, part.count()).forEach(i -> perClass[part.label(i)]++);
      assertThat(perClass).containsOnly(part.count() / 10);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "train-images, ded9297f1d7b567047797bb831eb9cfd84010a483a4075cb9fc0465219002cb7",
    "train-labels, 11a34fec6f816dbe22c806d6de7e130fa048759622a0e6f6da8feb272e09ee1d",
    "t10k-images, 15a92dd1e9b16ea361928086e77df4dfa890c255c00b5a8c8162c1040ce8eef1",
    "t10k-labels, 234596aeb6eb48133ec99a62541f90bc0728c9559a681f1e0638037462458f2c"
  })
  void shippedFileIsTheOneItsReadmeNames(String name, String sha256)
      throws IOException, NoSuchAlgorithmException {
    String file = name + (name.endsWith("images") ? "-idx3-ubyte.gz" : "-idx1-ubyte.gz");

    assertThat(sha256(file)).isEqualTo(sha256);
    assertThat(readme()).contains("`" + file + "`").contains("`" + sha256 + "`");
  }

  @Test
  void shippedDataComesWithItsLicence() throws IOException {
    try (InputStream in = resource("LICENSE")) {
      assertThat(in)
          .asString(StandardCharsets.UTF_8)
          .startsWith("The MIT License")
          .contains("Zalando SE");
    }
  }

  @Test
  void shippedTrainingImagesAreNormalized() {
    ImageDataset training = FashionMnist.shipped().training();
    int[] order = IntStream.range(0, training.count()).toArray();
    float[] out = new float[training.count() * training.pixelsPerImage()];

    training.gatherImages(order, 0, order.length, training.normalization(), out);

    double sum = 0;
    double squares = 0;
    for (float value : out) {
      sum += value;
      squares += (double) value * value;
    }
    assertThat(sum / out.length).isCloseTo(0, within(1e-5));
    assertThat(squares / out.length).isCloseTo(1, within(1e-5));
  }

  @Test
  void hasANameForEachClass() {
    assertThat(FashionMnist.CLASS_NAMES).hasSize(10).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void readsAFolder(boolean gzipped) throws IOException {
    writeGoodFiles(gzipped);

    FashionMnist data = FashionMnist.load(folder);

    assertThat(data.training().count()).isEqualTo(5);
    assertThat(data.test().count()).isEqualTo(2);
    assertThat(data.training().label(4)).isEqualTo(4);
  }

  @Test
  void folderThatIsNone() {
    Path absent = folder.resolve("absent");

    assertThatThrownBy(() -> FashionMnist.load(absent))
        .isInstanceOf(DataException.class)
        .hasMessage(absent + " is not a folder (expected one that holds the Fashion-MNIST files)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte"
      })
  void missingFile(String name) throws IOException {
    writeGoodFiles(false);
    Files.delete(folder.resolve(name));

    assertThatThrownBy(() -> FashionMnist.load(folder))
        .isInstanceOf(DataException.class)
        .hasMessage(
            folder
                + " holds neither "
                + name
                + " nor "
                + name
                + ".gz (expected the four Fashion-MNIST files)");
  }

  @Test
  void imagesOfAnotherSize() throws IOException {
    writeGoodFiles(false);
    write("t10k-images-idx3-ubyte", idx(2 * 32 * 32, IMAGES, 2, 32, 32), false);

    assertThatThrownBy(() -> FashionMnist.load(folder))
        .isInstanceOf(DataException.class)
        .hasMessage(
            folder.resolve("t10k-images-idx3-ubyte")
                + " holds images of 32x32 pixels (expected 28x28)");
  }

  @Test
  void corruptFileIsNamedWithItsFolder() throws IOException {
    writeGoodFiles(true);
    Path file = folder.resolve("train-labels-idx1-ubyte.gz");
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 3));

    assertThatThrownBy(() -> FashionMnist.load(folder))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(file + " is truncated: its gzip stream stops after ");
  }

  private void writeGoodFiles(boolean gzipped) throws IOException {
    write("train-images-idx3-ubyte", idx(5 * 28 * 28, IMAGES, 5, 28, 28), gzipped);
    write("train-labels-idx1-ubyte", idx(5, LABELS, 5), gzipped);
    write("t10k-images-idx3-ubyte", idx(2 * 28 * 28, IMAGES, 2, 28, 28), gzipped);
    write("t10k-labels-idx1-ubyte", idx(2, LABELS, 2), gzipped);
  }

  private void write(String name, byte[] bytes, boolean gzipped) throws IOException {
    Files.write(folder.resolve(gzipped ? name + ".gz" : name), gzipped ? gzip(bytes) : bytes);
  }

  private static InputStream resource(String name) {
    return FashionMnist.class.getResourceAsStream("fashion-mnist/" + name);
  }

  private static String readme() throws IOException {
    try (InputStream in = resource("README.md")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String sha256(String file) throws IOException, NoSuchAlgorithmException {
    try (InputStream in = new GZIPInputStream(resource(file))) {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(in.readAllBytes());
      return HexFormat.of().formatHex(digest);
    }
  }
}
