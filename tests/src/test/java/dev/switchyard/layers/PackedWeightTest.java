package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A weight whose packing failed is packed anew, for whichever backend asks next. */
class PackedWeightTest {
  private final OutOfThreads executor = new OutOfThreads();
  private final Kernels first = Fixtures.reference();
  private final FloatMatrix x = gaussian(3, 256, 1);
  private final FloatMatrix g = gaussian(3, 300, 2);

  @ParameterizedTest
  @EnumSource
  void isPackedAnewAfterAFailure(Precision precision) {
    Kernels second = Kernels.create(BackendChoice.named("vector"), Parallel.over(executor, 3));
    Linear layer = new Linear("l", 256, 300, precision, RANDOM);
    float[] expected = outputAndGradient(layer, first);
    float[] expectedOfSecond =
        outputAndGradient(new Linear("l", 256, 300, precision, RANDOM), second);
    int failures = 0;
    for (int at = 1; at < 8; at++) {
      executor.failAt(at);
      try {
        outputAndGradient(layer, second);
      } catch (OutOfMemoryError e) {
        failures++;
      }
      executor.failAt(0);
      assertThat(outputAndGradient(layer, first)).isEqualTo(expected);
      assertThat(outputAndGradient(layer, second)).isEqualTo(expectedOfSecond);
      outputAndGradient(layer, first);
    }
    assertThat(failures).isPositive();
  }

  private float[] outputAndGradient(Linear layer, Kernels kernels) {
    Tape tape = Tape.recording(kernels);
    Tensor in = Tensor.withGrad(x);
    Tensor y = layer.forward(tape, in);
    float[] output = Fixtures.values(y.value());
    tape.backward(y, g);
    float[] gradient = Fixtures.values(in.grad());
    float[] both = Arrays.copyOf(output, output.length + gradient.length);
    System.arraycopy(gradient, 0, both, output.length, gradient.length);
    return both;
  }
}
