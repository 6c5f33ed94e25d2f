package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import java.util.List;

/**
 * Compares the gradients of a computation with finite differences of L = sum of r y, y the output
 * and r random weights. L is summed in double precision; y is what the layer computes in float32.
 *
 * <p>The slope is (8 (L(+h) - L(-h)) - (L(+2h) - L(-2h))) / 12h, whose error is h^4/30 times the
 * fifth derivative: with h = 1/32 about 3e-8 of it. What limits the comparison is the rounding of
 * y: with u = 2^-24 and S = sum of |r| (|y| + 1), an output that is off by 16 u (|y| + 1) moves the
 * slope by at most 18/12 * 16 u S / h = 24 u S / h.
 */
public final class GradientCheck {
  private static final float H = 1f / 32;
  private static final double U = 0x1p-24;

  /** What to check. */
  public interface Computation {
    Tensor forward(Tape tape, Tensor x);
  }

  private final Kernels kernels;
  private final Computation computation;
  private final float h;

  private GradientCheck(Kernels kernels, Computation computation, float h) {
    this.kernels = kernels;
    this.computation = computation;
    this.h = h;
  }

  /** Checks the gradient of the input, and of each parameter by each of its elements. */
  public static void check(
      Kernels kernels, Computation computation, List<Parameter> parameters, FloatMatrix input) {
    check(kernels, computation, parameters, input, H);
  }

  /**
   * The same with another step: a smaller one where the output has kinks, which it has to stay away
   * from, for a bound that is larger in proportion.
   */
  public static void check(
      Kernels kernels,
      Computation computation,
      List<Parameter> parameters,
      FloatMatrix input,
      float h) {
    new GradientCheck(kernels, computation, h).check(parameters, input);
  }

  private void check(List<Parameter> parameters, FloatMatrix input) {
    Tape tape = Tape.recording(kernels);
    Tensor x = Tensor.withGrad(input);
    Tensor y = computation.forward(tape, x);
    FloatMatrix r = Fixtures.gaussian(y.rows(), y.cols(), 99);
    double size = 0;
    for (int i = 0; i < y.rows(); i++) {
      for (int j = 0; j < y.cols(); j++) {
        size += Math.abs(r.get(i, j)) * (Math.abs(y.value().get(i, j)) + 1);
      }
    }
    double bound = 24 * U * size / h;
    tape.backward(y, r);
    compare("input", input.data(), Fixtures.values(x.grad()), () -> {}, input, r, bound);
    for (Parameter p : parameters) {
      compare(p.name(), p.value().data(), p.grad().data(), p::markChanged, input, r, bound);
    }
  }

  private void compare(
      String name,
      float[] at,
      float[] gradient,
      Runnable changed,
      FloatMatrix input,
      FloatMatrix r,
      double bound) {
    double largest = 0;
    for (int i = 0; i < at.length; i++) {
      double slope =
          (8 * difference(at, i, h, changed, input, r)
                  - difference(at, i, 2 * h, changed, input, r))
              / (12 * h);
      assertThat((double) gradient[i])
          .as("gradient of %s, element %d of %d", name, i, at.length)
          .isCloseTo(slope, within(bound + 1e-4 * Math.abs(slope)));
      largest = Math.max(largest, Math.abs(slope));
    }
    // A bound that is as large as the gradients would let anything pass.
    assertThat(largest).as("largest gradient of %s", name).isGreaterThan(10 * bound);
  }

  private double difference(
      float[] at, int i, float step, Runnable changed, FloatMatrix input, FloatMatrix r) {
    float before = at[i];
    at[i] = before + step;
    double plus = at[i];
    changed.run();
    double up = loss(input, r);
    at[i] = before - step;
    double minus = at[i];
    changed.run();
    double down = loss(input, r);
    at[i] = before;
    changed.run();
    return (up - down) * 2 * step / (plus - minus); // the steps that were made after rounding
  }

  private double loss(FloatMatrix input, FloatMatrix r) {
    FloatMatrix y = computation.forward(Tape.none(kernels), Tensor.of(input)).value();
    double sum = 0;
    for (int i = 0; i < y.rows(); i++) {
      for (int j = 0; j < y.cols(); j++) {
        sum += (double) r.get(i, j) * y.get(i, j);
      }
    }
    return sum;
  }
}
