package dev.switchyard.bench.train;

import dev.switchyard.bench.data.ImageDataset;
import dev.switchyard.bench.data.Normalization;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Images of a step, normalized, and their labels; filled anew for each. */
final class ImageBatch {
  private final ImageDataset from;
  private final Normalization normalization;
  private final FloatMatrix pixels;
  private final int[] labels;

  ImageBatch(ImageDataset from, Normalization normalization, int size) {
    this.from = from;
    this.normalization = normalization;
    this.pixels = FloatMatrix.allocate(size, from.pixelsPerImage());
    this.labels = new int[size];
  }

  void gather(int[] order, int first) {
    from.gatherImages(order, first, labels.length, normalization, pixels.data());
    from.gatherLabels(order, first, labels.length, labels);
  }

  Tensor tensor() {
    return Tensor.of(pixels);
  }

  int[] labels() {
    return labels;
  }

  /** Scores for some images, a row each. */
  interface Scores {
    FloatMatrix of(Tensor images);
  }

  /** The images whose highest score is not that of their class. */
  static List<Integer> mistakes(
      ImageDataset images, Normalization normalization, int batch, Scores scores) {
    int[] order = IntStream.range(0, images.count()).toArray();
    List<Integer> mistakes = new ArrayList<>();
    for (int from = 0; from < order.length; from += batch) {
      ImageBatch part = new ImageBatch(images, normalization, Math.min(batch, order.length - from));
      part.gather(order, from);
      FloatMatrix of = scores.of(part.tensor());
      for (int row = 0; row < part.labels.length; row++) {
        if (highest(of, row) != part.labels[row]) {
          mistakes.add(from + row);
        }
      }
    }
    return mistakes;
  }

  private static int highest(FloatMatrix scores, int row) {
    return IntStream.range(0, scores.cols())
        .reduce(0, (a, b) -> scores.get(row, b) > scores.get(row, a) ? b : a);
  }
}
