package dev.switchyard.bench.experiment;

import dev.switchyard.bench.data.ImageDataset;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.embedding.ImageShape;
import dev.switchyard.layers.embedding.PatchEmbedding;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A vision transformer whose blocks can be looked at one by one. */
final class SmallTransformer {
  static final String PATCH_EMBEDDING = "embedding.projection.weight";

  private static final int PATCH = 7;

  /**
   * What it is like.
   *
   * @param depth blocks
   * @param width features
   * @param heads attention heads
   * @param precision of the linear layers of the blocks
   * @param layerScale the first gain of both branches of a block, if they are scaled
   */
  record Shape(int depth, int width, int heads, Precision precision, Optional<Float> layerScale) {}

  private final PatchEmbedding embedding;
  private final List<TransformerBlock> blocks = new ArrayList<>();
  private final SequenceHead head;
  private final CrossEntropy crossEntropy = new CrossEntropy();

  SmallTransformer(Shape shape, ImageDataset images, long seed) {
    CounterRandom random = new CounterRandom(seed);
    embedding =
        new PatchEmbedding(
            "embedding",
            new ImageShape(1, images.rows(), images.columns()),
            PATCH,
            shape.width(),
            Precision.FLOAT32,
            random.split(0));
    BlockOptions plain = BlockOptions.of(shape.width(), shape.heads(), shape.precision());
    BlockOptions options = shape.layerScale().map(plain::withLayerScale).orElse(plain);
    for (int i = 0; i < shape.depth(); i++) {
      blocks.add(new TransformerBlock("block" + i, options, random.split(2 + i)));
    }
    head =
        SequenceHead.scores("head", shape.width(), images.classes(), Pooling.MEAN, random.split(1));
  }

  List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>(embedding.parameters());
    blocks.forEach(block -> all.addAll(block.parameters()));
    return Model.concat(all, head.parameters());
  }

  // images [images, pixels] -> loss [1, 1]
  Tensor loss(Tape tape, Tensor images, int... labels) {
    return rest(tape, blocks.size(), through(tape, images, 0, blocks.size()), labels);
  }

  /** The features after each block. */
  List<FloatMatrix> features(Tape tape, Tensor images) {
    List<FloatMatrix> features = new ArrayList<>();
    Sequences sequences = embedding.sequences(images.rows());
    Tensor x = embedding.forward(tape, images);
    for (TransformerBlock block : blocks) {
      x = block.forward(tape, x, sequences);
      features.add(x.value());
    }
    return features;
  }

  // images [images, pixels] -> features after the given number of blocks [tokens, features]
  Tensor through(Tape tape, Tensor images, int from, int to) {
    Sequences sequences = embedding.sequences(images.rows());
    Tensor x = from == 0 ? embedding.forward(tape, images) : images;
    for (TransformerBlock block : blocks.subList(from, to)) {
      x = block.forward(tape, x, sequences);
    }
    return x;
  }

  // features after the given number of blocks [tokens, features] -> loss [1, 1]
  Tensor rest(Tape tape, int after, Tensor features, int... labels) {
    Sequences sequences = embedding.sequences(labels.length);
    Tensor x = features;
    for (TransformerBlock block : blocks.subList(after, blocks.size())) {
      x = block.forward(tape, x, sequences);
    }
    return crossEntropy.forward(tape, head.forward(tape, x, sequences), labels);
  }
}
