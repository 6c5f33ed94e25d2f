package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.data.Activation;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The functions themselves, and what kernels make of numbers that are none. */
class ActivationTest {
  /** By how much it grows, away from the kink of RELU. */
  @ParameterizedTest
  @EnumSource
  void slopesAreDerivatives(Activation f) {
    double h = 1e-4;
    for (double x = -40.05; x < 40; x += 0.1) {
      double slope = (f.value(x + h) - f.value(x - h)) / (2 * h);
      assertThat(f.slope(x)).isCloseTo(slope, within(2e-8 * (1 + Math.abs(x))));
    }
  }

  @ParameterizedTest
  @EnumSource
  void areWhatTheyAreAtSomePoints(Activation f) {
    double[] expected =
        switch (f) {
          case RELU -> new double[] {0, 0, 1, 0};
          case SILU -> new double[] {-0.2689414213699951, 0, 0.7310585786300049, 0.5};
          case TANH -> new double[] {-0.7615941559557649, 0, 0.7615941559557649, 1};
          case SOFTPLUS -> new double[] {0.31326168751822286, Math.log(2), 1.3132616875182228, 0.5};
        };
    assertThat(f.value(-1)).isCloseTo(expected[0], within(1e-15));
    assertThat(f.value(0)).isCloseTo(expected[1], within(1e-15));
    assertThat(f.value(1)).isCloseTo(expected[2], within(1e-15));
    assertThat(f.slope(0)).isEqualTo(expected[3]);
    for (double x : new double[] {40, 1e30, Double.MAX_VALUE}) {
      assertThat(f.value(x)).isEqualTo(f == Activation.TANH ? 1 : x);
      assertThat(f.slope(x)).isCloseTo(f == Activation.TANH ? 0 : 1, within(1e-15));
      assertThat(f.value(-x)).isCloseTo(f == Activation.TANH ? -1 : 0, within(1e-15));
      assertThat(f.slope(-x)).isCloseTo(0, within(1e-15));
    }
  }

  /** A number that is none does not become one without a word. */
  @ParameterizedTest
  @EnumSource
  void passOnWhatIsNoNumber(Activation f) {
    for (String backend : Setup.BACKENDS) {
      for (int cols : new int[] {1, 37}) {
        FloatMatrix x = FloatMatrix.allocate(1, cols);
        x.set(0, cols / 2, Float.NaN);
        FloatMatrix y = FloatMatrix.allocate(1, cols);
        Setup.serial(backend).activations().forward(f, x, y);
        FloatMatrix gx = FloatMatrix.allocate(1, cols);
        Setup.serial(backend).activations().backward(f, FloatMatrix.allocate(1, cols), x, gx);
        for (int j = 0; j < cols; j++) {
          assertThat(Float.isNaN(y.get(0, j))).isEqualTo(j == cols / 2);
          assertThat(Float.isNaN(gx.get(0, j))).isEqualTo(j == cols / 2);
        }
      }
    }
  }

  /** Sizes from subnormal to the largest, with offsets and strides, in place or not. */
  @ParameterizedTest
  @EnumSource
  void kernelsAreAsGoodAsTheyPromise(Activation f) {
    for (String backend : Setup.BACKENDS) {
      Activations kernels = Setup.serial(backend).activations();
      for (int cols : new int[] {1, 2, 7, 8, 9, 31, 130}) {
        for (float scale : new float[] {1e-42f, 1e-20f, 0.1f, 1, 10, 50, 1e4f, 1e30f, 6e37f}) {
          FloatMatrix x = Matrices.gaussian(3, cols, cols);
          FloatMatrix gy = Matrices.gaussian(3, cols, 5);
          for (int i = 0; i < 3; i++) {
            for (int j = 0; j < cols; j++) {
              x.set(i, j, scale * Math.clamp(x.get(i, j), -5f, 5f));
            }
          }
          FloatMatrix y = Matrices.copy(x);
          kernels.forward(f, y, y);
          FloatMatrix gx = Matrices.copy(gy);
          kernels.backward(f, x, gx, gx);
          for (int i = 0; i < 3; i++) {
            for (int j = 0; j < cols; j++) {
              check(f, x.get(i, j), gy.get(i, j), y.get(i, j), gx.get(i, j));
            }
          }
        }
      }
    }
  }

  /** An exponential, below which nothing is left, its sum with 1, a quotient and a product. */
  private static void check(Activation f, double x, double gy, double y, double gx) {
    double least = f == Activation.RELU ? 0 : 2.4e-36;
    double part = f == Activation.RELU ? 0 : 6e-7;
    assertThat(y).isCloseTo(f.value(x), within(part * Math.abs(f.value(x)) + least));
    double slope = f.slope(x);
    double terms = // of a sum that may cancel
        f == Activation.SILU
            ? Activation.SOFTPLUS.slope(x) * (1 + Math.abs(x) * Activation.SOFTPLUS.slope(-x))
            : Math.abs(slope);
    double bound = Math.abs(gy) * (2.5 * part * terms + least) + Float.MIN_VALUE;
    assertThat(gx).isCloseTo((float) (gy * slope), within(bound));
  }

  @ParameterizedTest
  @EnumSource
  void areTheSameForEveryNumberOfThreads(Activation f) {
    FloatMatrix x = Matrices.gaussian(301, 67, 1);
    FloatMatrix expected = FloatMatrix.allocate(301, 67);
    Setup.serial("vector").activations().forward(f, x, expected);
    FloatMatrix y = FloatMatrix.allocate(301, 67);
    Kernels.create(BackendChoice.named("vector"), Parallel.ofThreads(3))
        .activations()
        .forward(f, x, y);
    assertThat(y.data()).isEqualTo(expected.data());
  }

  @Test
  void refuseOtherShapes() {
    Activations kernels = Setup.serial("reference").activations();
    FloatMatrix x = FloatMatrix.allocate(3, 5);
    FloatMatrix other = FloatMatrix.allocate(5, 3);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kernels.forward(Activation.TANH, x, other))
        .withMessage("y is 5x3 but x is 3x5 (expected equal)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kernels.backward(Activation.TANH, x, other, x))
        .withMessage("gy is 5x3 but x is 3x5 (expected equal)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kernels.backward(Activation.TANH, x, x, other))
        .withMessage("gx is 5x3 but x is 3x5 (expected equal)");
  }
}
