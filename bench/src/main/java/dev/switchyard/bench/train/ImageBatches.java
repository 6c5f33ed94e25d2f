package dev.switchyard.bench.train;

import dev.switchyard.bench.data.ImageDataset;
import dev.switchyard.bench.data.Normalization;
import java.util.HashMap;
import java.util.Map;

/** Batches of images, of the few sizes that parts of a step have; each is filled anew. */
final class ImageBatches {
  private final ImageDataset from;
  private final Normalization normalization;
  private final Map<Integer, ImageBatch> bySize = new HashMap<>();

  ImageBatches(ImageDataset from, Normalization normalization) {
    this.from = from;
    this.normalization = normalization;
  }

  /** The batch of that many examples, until the next of the same size. */
  ImageBatch gather(int[] order, int first, int count) {
    ImageBatch batch =
        bySize.computeIfAbsent(count, size -> new ImageBatch(from, normalization, size));
    batch.gather(order, first);
    return batch;
  }
}
