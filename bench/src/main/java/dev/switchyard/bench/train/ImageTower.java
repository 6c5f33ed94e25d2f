package dev.switchyard.bench.train;

import dev.switchyard.bench.data.ImageDataset;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.embedding.ImageShape;
import dev.switchyard.layers.embedding.PatchEmbedding;
import dev.switchyard.layers.model.SequenceHead;
import dev.switchyard.layers.model.VisionTransformer;

/** The vision transformer of all tasks. */
final class ImageTower {
  /** Pixels across a patch: a 28x28 image becomes 16 tokens. */
  static final int PATCH = 7;

  private static final int CHANNELS = 1;

  private ImageTower() {}

  /**
   * A tower whose blocks compute in a precision; patch embedding and head stay in float32, as in
   * Wortsman et al. 2023.
   *
   * @param prefix of the names of its parameters
   */
  static VisionTransformer of(
      String prefix,
      TrainOptions options,
      ImageDataset images,
      SequenceHead head,
      Precision precision,
      CounterRandom random) {
    int width = options.width();
    PatchEmbedding embedding =
        new PatchEmbedding(
            prefix + "embedding",
            new ImageShape(CHANNELS, images.rows(), images.columns()),
            PATCH,
            width,
            Precision.FLOAT32,
            random.split(0));
    BlockOptions blocks = BlockOptions.of(width, options.heads(), precision);
    return new VisionTransformer(
        embedding,
        new Transformer(prefix + "blocks", options.depth(), blocks, random.split(2)),
        head);
  }
}
