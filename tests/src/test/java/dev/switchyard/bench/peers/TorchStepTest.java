package dev.switchyard.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.bench.peers.TorchStep.Layer;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.optim.AdamW;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** PyTorch's layers and optimizer, as the benchmarks use them, compute what ours do. */
@Tag("full")
class TorchStepTest {
  private static final Kernels KERNELS = Kernels.create(Parallel.serial());
  private static final Sequences SEQUENCES = Sequences.uniform(3, 5);
  private static final int WIDTH = 16;
  private static final int HEADS = 2;

  @ParameterizedTest
  @CsvSource({
    "ATTENTION, false, 1e-5",
    "BLOCK, false, 1e-4",
    "ATTENTION, true, 0.05",
    "BLOCK, true, 0.3"
  })
  void layersComputeTheSame(Layer layer, boolean autocast, float tolerance) {
    FloatMatrix x = gaussian(SEQUENCES.tokens(), 1);
    FloatMatrix g = gaussian(SEQUENCES.tokens(), 2);
    Tape tape = Tape.recording(KERNELS);
    Tensor input = Tensor.withGrad(x);
    CounterRandom random = new CounterRandom(3);
    Tensor y;
    List<Parameter> parameters =
        switch (layer) {
          case ATTENTION -> {
            SelfAttention attention =
                new SelfAttention("attention", WIDTH, HEADS, Precision.FLOAT32, random);
            y = attention.forward(tape, input, SEQUENCES);
            yield attention.parameters();
          }
          case BLOCK -> {
            TransformerBlock block =
                new TransformerBlock("block", WIDTH, HEADS, 4 * WIDTH, Precision.FLOAT32, random);
            y = block.forward(tape, input, SEQUENCES);
            yield block.parameters();
          }
        };
    tape.backward(y, g);

    TorchStep step = new TorchStep(layer, HEADS, parameters, SEQUENCES.count(), x, g, autocast, 1);
    step.run();
    step.run(); // the second must not add to the first

    assertClose(step.output(), y.value(), tolerance);
    assertClose(step.inputGradient(), input.grad(), tolerance);
    for (int i = 0; i < parameters.size(); i++) {
      assertClose(step.gradient(i), parameters.get(i).grad(), 3 * tolerance);
    }
  }

  @ParameterizedTest
  @EnumSource
  void optimizerStepsAlike(Decay decay) {
    Parameter parameter = new Parameter("weight", gaussian(7, 1), decay == Decay.SOME);
    gaussian(7, 2).copyTo(parameter.grad());
    AdamW.Settings settings = new AdamW.Settings(0.9f, 0.98f, 1e-6f, 0.1f);
    AdamW ours = new AdamW(KERNELS, List.of(parameter), settings);
    TorchAdamW peer = new TorchAdamW(List.of(parameter), settings, 1);

    for (int step = 0; step < 3; step++) {
      ours.step(0.01f);
      peer.step(0.01f);
    }

    assertClose(peer.values(0), parameter.value(), 1e-5f);
    assertThat(peer.values(0)).isNotEqualTo(gaussian(7, 1).data());
  }

  enum Decay {
    NONE,
    SOME
  }

  private static FloatMatrix gaussian(int rows, int seed) {
    FloatMatrix matrix = FloatMatrix.allocate(rows, WIDTH);
    long key = new CounterRandom(seed).key(0);
    for (int i = 0; i < matrix.data().length; i++) {
      matrix.data()[i] = CounterRandom.gaussian(key, i);
    }
    return matrix;
  }

  private static void assertClose(float[] actual, FloatMatrix expected, float tolerance) {
    float[] values = expected.copy().data();
    assertThat(actual).hasSameSizeAs(values);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).as("element %d", i).isCloseTo(values[i], within(tolerance));
    }
  }
}
