package dev.switchyard.bench.kernels;

import dev.switchyard.bench.peers.TorchStep;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.block.TransformerBlock;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * Forward and backward of a transformer block, or of its attention, over sequences of one length:
 * as a training loop has it, each weight packed anew and each gradient zeroed.
 */
final class SequenceStep {
  private static final int FEATURES_A_HEAD = 64;

  /** Of the norm of what is compared: rounding in float32 is far below, a wrong term far above. */
  private static final double FLOAT32_TOLERANCE = 1e-4;

  /** Products of bfloat16 and of int8 have errors of a few hundredths. */
  private static final double TOLERANCE = 0.15;

  /** Our layer, whichever it is. */
  private interface Forward {
    Tensor apply(Tape tape, Tensor x, Sequences sequences);
  }

  private final TorchStep.Layer layer;
  private final int heads;
  private final Kernels kernels;
  private final Precision precision;
  private final Sequences sequences;
  private final FloatMatrix x;
  private final FloatMatrix g;
  private final List<Parameter> parameters;
  private final Forward forward;
  private final Tape tape;
  private Tensor input;
  private Tensor output;

  private SequenceStep(TorchStep.Layer layer, int[] sizes, Kernels kernels, Precision precision) {
    this.layer = layer;
    this.kernels = kernels;
    this.precision = precision;
    sequences = Sequences.uniform(sizes[0], sizes[1]);
    int features = sizes[2];
    if (features % FEATURES_A_HEAD != 0) {
      throw new IllegalArgumentException(
          "there are "
              + features
              + " features (expected a multiple of "
              + FEATURES_A_HEAD
              + ", those of a head)");
    }
    heads = features / FEATURES_A_HEAD;
    x = Operands.gaussian(sequences.tokens(), features, 1);
    g = Operands.gaussian(sequences.tokens(), features, 2);
    CounterRandom random = new CounterRandom(3);
    switch (layer) {
      case ATTENTION -> {
        SelfAttention attention =
            new SelfAttention("attention", features, heads, precision, random);
        parameters = attention.parameters();
        forward = attention::forward;
      }
      case BLOCK -> {
        TransformerBlock block =
            new TransformerBlock("block", features, heads, 4 * features, precision, random);
        parameters = block.parameters();
        forward = block::forward;
      }
      default -> throw new AssertionError(layer);
    }
    tape = Tape.recording(kernels);
  }

  /** Our step for a shape such as {@code 16x256x384}: sequences x tokens x features. */
  static SequenceStep of(
      TorchStep.Layer layer, String shape, Kernels kernels, Precision precision) {
    return new SequenceStep(layer, Operands.sizes(shape), kernels, precision);
  }

  private Tensor run() {
    tape.reset();
    for (Parameter parameter : parameters) {
      parameter.markChanged();
      parameter.zeroGrad();
    }
    input = Tensor.withGrad(x);
    output = forward.apply(tape, input, sequences);
    tape.backward(output, g);
    return output;
  }

  /** This step, after a check against the same in float32. */
  Supplier<?> checked() {
    SequenceStep expected = inFloat32();
    run();
    check(precision.name(), expected, output.value().copy().data(), input.grad().copy().data());
    return this::run;
  }

  /**
   * PyTorch's step of the same layer, after a check against ours in float32.
   *
   * @param ofPeer BFLOAT16 or FLOAT32
   */
  Supplier<?> peer(Precision ofPeer, int threads) {
    SequenceStep expected = inFloat32();
    boolean autocast = ofPeer == Precision.BFLOAT16;
    TorchStep step =
        new TorchStep(
            layer, heads, expected.parameters, sequences.count(), x, g, autocast, threads);
    step.run();
    check("pytorch " + ofPeer, expected, step.output(), step.inputGradient());
    return () -> {
      step.run();
      return step;
    };
  }

  private SequenceStep inFloat32() {
    int[] sizes = {sequences.count(), sequences.maxLength(), x.cols()};
    SequenceStep step = new SequenceStep(layer, sizes, kernels, Precision.FLOAT32);
    step.run();
    return step;
  }

  private static void check(
      String name, SequenceStep expected, float[] output, float[] inputGradient) {
    double tolerance = name.endsWith("FLOAT32") ? FLOAT32_TOLERANCE : TOLERANCE;
    checkNear(name + ": output", output, expected.output.value(), tolerance);
    checkNear(name + ": input gradient", inputGradient, expected.input.grad(), tolerance);
  }

  /** Refuses what is further away than a part of the norm. */
  private static void checkNear(
      String what, float[] actual, FloatMatrix expected, double tolerance) {
    float[] values = expected.copy().data();
    double error = 0;
    double norm = 0;
    for (int i = 0; i < values.length; i++) {
      double difference = actual[i] - values[i];
      error += difference * difference;
      norm += (double) values[i] * values[i];
    }
    double relative = Math.sqrt(error / norm);
    if (!(relative <= tolerance)) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "%s is off by %.2g of its norm (expected at most %s): not timed",
              what,
              relative,
              tolerance));
    }
  }
}
