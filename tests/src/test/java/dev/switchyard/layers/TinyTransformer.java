package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.embedding.ImageShape;
import dev.switchyard.layers.embedding.PatchEmbedding;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import dev.switchyard.layers.optim.AdamW;
import java.util.List;

/** A small vision transformer that learns which quarter of a noisy 8x8 image is bright. */
final class TinyTransformer {
  static final int PATCHES = 16;
  private static final int PIXELS = 64;

  private final Tape tape;
  private final PatchEmbedding embedding;
  private final TransformerBlock block1;
  private final TransformerBlock block2;
  private final SequenceHead head;
  private final AdamW optimizer;
  private final FloatMatrix images;
  private final int[] labels;
  private final Sequences sequences;

  TinyTransformer(Kernels kernels, Precision precision, int width, int batch) {
    CounterRandom random = new CounterRandom(11);
    tape = Tape.recording(kernels);
    embedding =
        new PatchEmbedding(
            "embedding", new ImageShape(1, 8, 8), 2, width, precision, random.split(0));
    block1 = new TransformerBlock("block1", width, 4, 4 * width, precision, random.split(1));
    block2 = new TransformerBlock("block2", width, 4, 4 * width, precision, random.split(2));
    head = SequenceHead.scores("head", width, 4, Pooling.MEAN, random.split(3));
    optimizer = new AdamW(kernels, parameters(), AdamW.Settings.DEFAULT);
    sequences = embedding.sequences(batch);
    images = Fixtures.gaussian(batch, PIXELS, 12);
    labels = new int[batch];
    for (int i = 0; i < batch; i++) {
      labels[i] = i % 4;
      for (int pixel = 0; pixel < 16; pixel++) {
        int row = labels[i] / 2 * 4 + pixel / 4;
        int col = labels[i] % 2 * 4 + pixel % 4;
        images.data()[i * PIXELS + row * 8 + col] += 1.5f;
      }
    }
  }

  List<Parameter> parameters() {
    return Model.concat(
        embedding.parameters(), block1.parameters(), block2.parameters(), head.parameters());
  }

  AdamW optimizer() {
    return optimizer;
  }

  /** One step of training; the loss before it. */
  float step() {
    Tensor x = embedding.forward(tape, Tensor.of(images));
    x = block2.forward(tape, block1.forward(tape, x, sequences), sequences);
    Tensor loss = new CrossEntropy().forward(tape, head.forward(tape, x, sequences), labels);
    float value = loss.value().get(0, 0);
    tape.backward(loss);
    optimizer.step(2e-3f);
    optimizer.zeroGrad();
    tape.reset();
    return value;
  }
}
