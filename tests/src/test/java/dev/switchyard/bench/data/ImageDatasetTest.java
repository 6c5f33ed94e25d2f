package dev.switchyard.bench.data;

import static dev.switchyard.bench.data.IdxBytes.IMAGES;
import static dev.switchyard.bench.data.IdxBytes.LABELS;
import static dev.switchyard.bench.data.IdxBytes.idx;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ImageDatasetTest {
  /** Pixels 0 to 23 and labels 0 to 3. */
  private final ImageDataset images =
      ImageDataset.of(file("i", 3, idx(24, IMAGES, 4, 2, 3)), file("l", 1, idx(4, LABELS, 4)), 4);

  @Test
  void tellsItsShape() {
    assertThat(images.count()).isEqualTo(4);
    assertThat(images.rows()).isEqualTo(2);
    assertThat(images.columns()).isEqualTo(3);
    assertThat(images.pixelsPerImage()).isEqualTo(6);
    assertThat(images.classes()).isEqualTo(4);
    assertThat(images.label(3)).isEqualTo(3);
  }

  @Test
  void numberOfLabelsMustBeThatOfImages() {
    IdxFile pixels = file("images", 3, idx(24, IMAGES, 4, 2, 3));
    IdxFile labels = file("labels", 1, idx(3, LABELS, 3));

    assertThatThrownBy(() -> ImageDataset.of(pixels, labels, 10))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "labels holds 3 labels but images holds 4 images (expected one label an image)");
  }

  @Test
  void labelsMustBeBelowTheNumberOfClasses() {
    IdxFile pixels = file("images", 3, idx(24, IMAGES, 4, 2, 3));
    IdxFile labels = file("labels", 1, idx(4, LABELS, 4));

    assertThatThrownBy(() -> ImageDataset.of(pixels, labels, 3))
        .isInstanceOf(DataException.class)
        .hasMessage("labels gives image 3 the label 3 (expected 0 to 2)");
  }

  @Test
  void labelsAreUnsigned() {
    byte[] labels = idx(1, LABELS, 1);
    labels[labels.length - 1] = (byte) 200;

    assertThatThrownBy(
            () ->
                ImageDataset.of(
                    file("images", 3, idx(6, IMAGES, 1, 2, 3)), file("labels", 1, labels), 10))
        .hasMessage("labels gives image 0 the label 200 (expected 0 to 9)");
  }

  @Test
  void normalizesToMeanZeroAndDeviationOne() {
    Normalization normalization = images.normalization();
    float[] out = new float[24];

    images.gatherImages(new int[] {0, 1, 2, 3}, 0, 4, normalization, out);

    assertThat(normalization.mean()).isEqualTo(11.5);
    // Of 0 to n - 1 the variance is (n * n - 1) / 12.
    assertThat(normalization.deviation()).isCloseTo(Math.sqrt(575 / 12.0), within(1e-12));
    assertThat(mean(out)).isCloseTo(0, within(1e-6));
    assertThat(meanSquare(out)).isCloseTo(1, within(1e-6));
  }

  @Test
  void pixelsAreUnsigned() {
    byte[] bytes = idx(6, IMAGES, 1, 2, 3);
    bytes[bytes.length - 1] = (byte) 255;
    ImageDataset bright = ImageDataset.of(file("i", 3, bytes), file("l", 1, idx(1, LABELS, 1)), 10);

    // 0, 1, 2, 3, 4 and 255.
    assertThat(bright.normalization().mean()).isCloseTo(265 / 6.0, within(1e-12));
  }

  @Test
  void gathersInTheOrderAskedFor() {
    float[] out = new float[14];
    Arrays.fill(out, -99);
    int[] labels = {7, 7, 7};

    images.gatherImages(new int[] {0, 3, 1, 2}, 1, 2, images.normalization(), out);
    images.gatherLabels(new int[] {0, 3, 1, 2}, 1, 2, labels);

    double mean = images.normalization().mean();
    double deviation = images.normalization().deviation();
    for (int k = 0; k < 6; k++) {
      assertThat(out[k]).isEqualTo((float) ((18 + k - mean) / deviation));
      assertThat(out[6 + k]).isEqualTo((float) ((6 + k - mean) / deviation));
    }
    assertThat(out[12]).isEqualTo(-99f);
    assertThat(labels).containsExactly(3, 1, 7);
  }

  @Test
  void refusesWhatDoesNotFit() {
    Normalization normalization = images.normalization();
    int[] order = {0, 4};

    assertThatThrownBy(() -> images.gatherImages(order, 0, 1, normalization, new float[5]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("out has room for 5 floats but 1 images of 2x3 need 6");
    assertThatThrownBy(() -> images.gatherLabels(order, 0, 2, new int[1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("out has room for 1 labels but 2 were asked for");
    assertThatThrownBy(() -> images.gatherImages(order, 1, 1, normalization, new float[6]))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> images.gatherImages(order, 1, 2, normalization, new float[12]))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void imagesThatAreAllOneGreyCannotBeNormalized() {
    byte[] grey = idx(0, IMAGES, 1, 2, 3);
    byte[] bytes = Arrays.copyOf(grey, grey.length + 6);
    Arrays.fill(bytes, grey.length, bytes.length, (byte) 130);
    ImageDataset flat =
        ImageDataset.of(file("flat", 3, bytes), file("l", 1, idx(1, LABELS, 1)), 10);

    assertThatThrownBy(flat::normalization)
        .isInstanceOf(DataException.class)
        .hasMessage("flat holds nothing but pixels of value 130 (expected images)");
  }

  private static IdxFile file(String name, int rank, byte[] bytes) {
    try {
      return IdxFile.read(name, new ByteArrayInputStream(bytes), rank);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static double mean(float[] values) {
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).average().orElseThrow();
  }

  private static double meanSquare(float[] values) {
    return IntStream.range(0, values.length)
        .mapToDouble(i -> (double) values[i] * values[i])
        .average()
        .orElseThrow();
  }
}
