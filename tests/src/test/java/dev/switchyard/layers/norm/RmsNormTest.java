package dev.switchyard.layers.norm;

import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RmsNormTest {
  private static final float EPS = 1e-6f;

  private final Kernels kernels = Fixtures.kernels("vector", 2);

  /** Rows of every size that a float has; results are rounded once from double precision. */
  @ParameterizedTest
  @ValueSource(floats = {1, 1e-42f, 1e-20f, 1e-3f, 1e10f, 1e19f, 5e37f})
  void isItsFormula(float scale) {
    for (int cols : new int[] {1, 3, 17, 130}) {
      FloatMatrix x = gaussian(4, cols, cols);
      for (int i = 0; i < x.data().length; i++) {
        x.data()[i] = scale * Math.clamp(x.data()[i] + 2, -5f, 5f);
      }
      float[] gains = gaussian(1, cols, 3).data();
      RmsNorm norm = new RmsNorm(Parameter.vector("gamma", gains), EPS);
      FloatMatrix y = norm.forward(Tape.none(kernels), Tensor.of(x)).value();
      for (int row = 0; row < 4; row++) {
        int i = row;
        double squares =
            IntStream.range(0, cols).mapToDouble(j -> (double) x.get(i, j) * x.get(i, j)).sum();
        double rms = Math.sqrt(squares / cols + EPS);
        for (int j = 0; j < cols; j++) {
          double expected = x.get(i, j) / rms * gains[j];
          double bound = 0x1p-23 * Math.abs(expected) + Float.MIN_VALUE;
          assertThat((double) y.get(i, j)).isCloseTo(expected, within(bound));
        }
      }
    }
  }

  @Test
  void learnsOnlyWhatIsNotFrozen() {
    RmsNorm norm = new RmsNorm("n", 3);
    norm.parameters().get(0).setFrozen(true);
    Tape tape = Tape.recording(kernels);
    Tensor x = Tensor.withGrad(gaussian(2, 3, 1));
    tape.backward(norm.forward(tape, x), gaussian(2, 3, 2));
    assertThat(norm.parameters().get(0).grad().data()).containsOnly(0);
    assertThat(x.grad().toArray()).doesNotContain(0);
  }

  @Test
  void refusesWhatDoesNotGoTogether() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new RmsNorm("n", 3)
                    .forward(Tape.none(kernels), Tensor.of(FloatMatrix.allocate(2, 4))))
        .withMessage("n.gamma has 3 elements but input has 4 features (expected 3)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RmsNorm(new Parameter("g", FloatMatrix.allocate(2, 3), true), EPS))
        .withMessage("gamma is g 2x3 (expected one row)");
    for (float eps : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new RmsNorm(Parameter.vector("g", 1, 2), eps))
          .withMessage("eps is " + eps + " (expected a finite number above 0)");
    }
  }
}
