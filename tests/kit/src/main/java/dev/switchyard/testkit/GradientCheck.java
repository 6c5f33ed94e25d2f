package dev.switchyard.testkit;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.List;
import java.util.Locale;
import org.opentest4j.AssertionFailedError;

/**
 * Compares the gradients of a computation with finite differences of {@code L = sum of r y}, y the
 * output and r random weights. L is summed in double precision; y is what the layer computes in
 * float32.
 *
 * <p>The slope is {@code (8 (L(+h) - L(-h)) - (L(+2h) - L(-2h))) / 12h}, whose error is h^4/30
 * times the fifth derivative: with h = 1/32 about 3e-8 of it. What limits the comparison is the
 * rounding of y: with u = 2^-24 and S = sum of |r| (|y| + 1), an output that is off by 16 u (|y| +
 * 1) moves the slope by at most 18/12 * 16 u S / h = 24 u S / h, which is the bound, plus 1e-4 of
 * the slope. A gradient that is nowhere ten times as large as the bound fails too, since anything
 * would pass.
 *
 * <p>The computation has to be smooth, and the same each time: check a layer in float32 (a
 * quantized one is a staircase, see {@link QuantizationReport}), without dropout, and away from
 * kinks. It is run 8 times for each element of the input and the parameters, so keep them small.
 */
public final class GradientCheck {
  private static final float H = 1f / 32;
  private static final double U = 0x1p-24;

  /** What to check. */
  public interface Computation {
    /**
     * Computes.
     *
     * @param tape records, or not
     * @param x the input
     * @return the output
     */
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

  /**
   * Checks the gradients of a layer: of the input, and of each parameter by each of its elements.
   *
   * @param kernels what computes
   * @param layer what to check; parameters keep their values, and their gradients are set
   * @param input [rows, features] dense and alone in its array; keeps its values
   * @throws AssertionFailedError if a gradient is wrong
   */
  public static void check(Kernels kernels, Layer layer, FloatMatrix input) {
    check(kernels, layer::forward, layer.parameters(), input);
  }

  /**
   * Checks the gradient of the input, and of each parameter by each of its elements.
   *
   * @param kernels what computes
   * @param computation what to check
   * @param parameters what it learns, none of them frozen; they keep their values, and their
   *     gradients are set
   * @param input [rows, features] dense and alone in its array; keeps its values
   * @throws AssertionFailedError if a gradient is wrong
   */
  public static void check(
      Kernels kernels, Computation computation, List<Parameter> parameters, FloatMatrix input) {
    check(kernels, computation, parameters, input, H);
  }

  /**
   * The same with another step: a smaller one where the output has kinks, which it has to stay away
   * from, for a bound that is larger in proportion.
   *
   * @param kernels what computes
   * @param computation what to check
   * @param parameters what it learns
   * @param input [rows, features]
   * @param h the step, a power of two so that little is lost in adding it
   * @throws AssertionFailedError if a gradient is wrong
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
    if (input.data().length != (long) input.rows() * input.cols()) {
      throw new IllegalArgumentException(
          "input is a "
              + input.shape()
              + " view of a larger array (expected a matrix alone in its array, as copy() makes)");
    }
    parameters.forEach(Parameter::zeroGrad);
    Tape tape = Tape.recording(kernels);
    Tensor x = Tensor.withGrad(input);
    Tensor y = computation.forward(tape, x);
    FloatMatrix r = weights(y.rows(), y.cols());
    double size = 0;
    for (int i = 0; i < y.rows(); i++) {
      for (int j = 0; j < y.cols(); j++) {
        size += Math.abs(r.get(i, j)) * (Math.abs(y.value().get(i, j)) + 1);
      }
    }
    double bound = 24 * U * size / h;
    tape.backward(y, r);
    compare("input", input.data(), x.grad().copy(), () -> {}, input, r, bound);
    for (Parameter p : parameters) {
      compare(p.name(), p.value().data(), p.grad(), p::markChanged, input, r, bound);
    }
  }

  private static FloatMatrix weights(int rows, int cols) {
    FloatMatrix r = FloatMatrix.allocate(rows, cols);
    long key = new CounterRandom(99).key(0);
    for (int i = 0; i < r.data().length; i++) {
      r.data()[i] = CounterRandom.gaussian(key, i);
    }
    return r;
  }

  private void compare(
      String name,
      float[] at,
      FloatMatrix gradient,
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
      double computed = gradient.data()[i];
      // Not the other way round: NaN is wrong too.
      if (!(Math.abs(computed - slope) <= bound + 1e-4 * Math.abs(slope))) {
        throw new AssertionFailedError(
            String.format(
                Locale.ROOT,
                "gradient of %s, row %d, column %d of %s: computed %.7g, finite differences give"
                    + " %.7g (bound %.3g)",
                name,
                i / gradient.cols(),
                i % gradient.cols(),
                gradient.shape(),
                computed,
                slope,
                bound + 1e-4 * Math.abs(slope)),
            slope,
            computed);
      }
      largest = Math.max(largest, Math.abs(slope));
    }
    if (largest <= 10 * bound && at.length > 0) {
      throw new AssertionFailedError(
          String.format(
              Locale.ROOT,
              "gradient of %s is %.3g at most, too small for a bound of %.3g to tell right from"
                  + " wrong (take larger values, or fewer outputs)",
              name,
              largest,
              bound));
    }
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
