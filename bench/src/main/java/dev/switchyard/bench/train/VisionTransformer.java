package dev.switchyard.bench.train;

import dev.switchyard.bench.data.ImageDataset;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.ClassificationHead;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.PatchEmbedding;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.TransformerBlock;
import java.util.ArrayList;
import java.util.List;

/**
 * A small vision transformer (Dosovitskiy et al. 2021) with mean pooling. The linear layers of its
 * blocks compute in the precision under test; patch embedding and head stay in float32, as in
 * Wortsman et al. 2023.
 */
final class VisionTransformer {
  /** Pixels across a patch: a 28x28 image becomes 16 tokens. */
  private static final int PATCH = 7;

  private static final int CHANNELS = 1;

  /** Width of the feed-forward layers over that of the model. */
  private static final int EXPANSION = 4;

  private final PatchEmbedding embedding;
  private final List<TransformerBlock> blocks = new ArrayList<>();
  private final ClassificationHead head;

  VisionTransformer(TrainOptions options, Precision precision, ImageDataset images) {
    CounterRandom random = new CounterRandom(options.seed());
    int width = options.width();
    embedding =
        new PatchEmbedding(
            "embedding",
            CHANNELS,
            images.rows(),
            images.columns(),
            PATCH,
            width,
            Precision.FLOAT32,
            random.split(0));
    for (int i = 0; i < options.depth(); i++) {
      blocks.add(
          new TransformerBlock(
              "block" + i,
              width,
              options.heads(),
              EXPANSION * width,
              precision,
              random.split(2 + i)));
    }
    head = new ClassificationHead("head", width, images.classes(), random.split(1));
  }

  // images [images, pixels] -> scores [images, classes]
  Tensor forward(Tape tape, Tensor images) {
    Sequences sequences = embedding.sequences(images.rows());
    Tensor x = embedding.forward(tape, images);
    for (TransformerBlock block : blocks) {
      x = block.forward(tape, x, sequences);
    }
    return head.forward(tape, x, sequences);
  }

  List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>(embedding.parameters());
    blocks.forEach(block -> all.addAll(block.parameters()));
    all.addAll(head.parameters());
    return all;
  }
}
