package dev.switchyard.bench.train;

import dev.switchyard.bench.data.ImageDataset;
import dev.switchyard.bench.data.Normalization;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Tensor;
import java.util.function.ToIntFunction;
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

  /** The part of the images whose highest score is that of their class. */
  static double accuracy(
      ImageDataset images, Normalization normalization, int batch, Scores scores) {
    int[] order = IntStream.range(0, images.count()).toArray();
    int right = 0;
    for (int from = 0; from < order.length; from += batch) {
      ImageBatch part = new ImageBatch(images, normalization, Math.min(batch, order.length - from));
      part.gather(order, from);
      right += part.right(scores.of(part.tensor()));
    }
    return (double) right / order.length;
  }

  private int right(FloatMatrix scores) {
    ToIntFunction<Integer> highest =
        row ->
            IntStream.range(0, scores.cols())
                .reduce(0, (a, b) -> scores.get(row, b) > scores.get(row, a) ? b : a);
    return (int)
        IntStream.range(0, labels.length)
            .filter(row -> highest.applyAsInt(row) == labels[row])
            .count();
  }
}
