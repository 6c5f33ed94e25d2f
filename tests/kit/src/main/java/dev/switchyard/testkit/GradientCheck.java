package dev.switchyard.testkit;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Node;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.IntFunction;
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
 * quantized one is a staircase, which is refused; see {@link QuantizationReport}), without dropout,
 * and away from kinks, which a failure names. Every parameter has to be among those that a layer
 * names in {@link Node#uses}, or freezing and changing it would go unnoticed. Input and output are
 * given to another before the way back unless a layer {@linkplain Node#keeps keeps} them. The
 * computation is run 4 times for each element of the input and the parameters, so keep them small.
 */
public final class GradientCheck {
  private static final float H = 1f / 32;
  private static final double U = 0x1p-24;
  private static final String NOT_KEPT =
      "; a layer that reads on the way back what it does not keep (Node.keeps) gets NaN here";

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
   * @throws AssertionFailedError if a gradient is wrong or missing, or a parameter is not recorded
   * @throws IllegalArgumentException if a linear layer does not compute in float32
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
   * @throws AssertionFailedError if a gradient is wrong or missing, or a parameter is not recorded
   * @throws IllegalArgumentException if a linear layer does not compute in float32
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
   * @throws AssertionFailedError if a gradient is wrong or missing, or a parameter is not recorded
   * @throws IllegalArgumentException if a linear layer does not compute in float32
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
    Set<String> rounded = new LinkedHashSet<>();
    tape.watch(
        (layer, in) -> {
          if (layer.precision() != Precision.FLOAT32) {
            rounded.add(layer.name() + " computes in " + layer.precision());
          }
          return gy -> {};
        });
    Set<Parameter> recorded = Collections.newSetFromMap(new IdentityHashMap<>());
    tape.whenComplete(recorded::add);
    Tensor x = Tensor.withGrad(input);
    Tensor inside = copy(tape, x);
    Tensor y = computation.forward(tape, inside);
    if (!rounded.isEmpty()) {
      throw new IllegalArgumentException(
          String.join(", ", rounded)
              + ", but finite differences need FLOAT32: a layer that rounds is a staircase"
              + " (expected that, or a QuantizationReport)");
    }
    FloatMatrix r = weights(y.rows(), y.cols());
    double size = 0;
    for (int i = 0; i < y.rows(); i++) {
      for (int j = 0; j < y.cols(); j++) {
        size += Math.abs(r.get(i, j)) * (Math.abs(y.value().get(i, j)) + 1);
      }
    }
    double bound = 24 * U * size / h;
    Tensor end = copy(tape, y);
    spoil(tape, y);
    if (!y.equals(inside)) {
      spoil(tape, inside);
    }
    FloatMatrix ofInput = goBack(tape, end, r, x);
    for (Parameter p : parameters) {
      if (!recorded.contains(p)) {
        throw new AssertionFailedError(
            "parameter "
                + p
                + " was not recorded: no layer that the output depends on names it in Node.uses"
                + " (expected that of each that is computed with, or freezing and changing it go"
                + " unnoticed)");
      }
    }
    compare("input", ofInput, bound, i -> new Line(input.data(), i, () -> {}, input, r));
    for (Parameter p : parameters) {
      float[] at = p.value().data();
      compare(p.name(), p.grad(), bound, i -> new Line(at, i, p::markChanged, input, r));
    }
  }

  /** The gradient of the input; a tape refuses to go on where a layer did not do its part. */
  private static FloatMatrix goBack(Tape tape, Tensor end, FloatMatrix r, Tensor x) {
    try {
      tape.backward(end, r);
      return x.grad().copy();
    } catch (IllegalStateException e) {
      throw new AssertionFailedError(
          "the way back failed: "
              + e.getMessage()
              + " (expected a layer that names what it reads there in Node.keeps, and adds a"
              + " gradient to each tensor that it is from)",
          e);
    }
  }

  /** As between two layers, where the tape may use the storage again. */
  private static Tensor copy(Tape tape, Tensor x) {
    FloatMatrix value = tape.result(x.rows(), x.cols());
    x.value().copyTo(value);
    return tape.node(value).from(x).backward((gy, kept) -> tape.passOn(x));
  }

  /** Gives the storage to another, who writes NaN, unless a layer keeps it. */
  private static void spoil(Tape tape, Tensor x) {
    tape.release(x);
    FloatMatrix another = tape.take(x.rows(), x.cols());
    Arrays.fill(another.data(), Float.NaN);
    tape.giveBack(another);
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
      String name, FloatMatrix gradient, double bound, IntFunction<Line> elements) {
    double largest = 0;
    for (int i = 0; i < gradient.data().length; i++) {
      Line line = elements.apply(i);
      double slope = line.slope();
      double computed = gradient.data()[i];
      // Not the other way round: NaN is wrong too.
      if (!(Math.abs(computed - slope) <= bound + 1e-4 * Math.abs(slope))) {
        throw new AssertionFailedError(
            String.format(
                Locale.ROOT,
                "gradient of %s, row %d, column %d of %s: computed %.7g, finite differences give"
                    + " %.7g (bound %.3g)%s",
                name,
                i / gradient.cols(),
                i % gradient.cols(),
                gradient.shape(),
                computed,
                slope,
                bound + 1e-4 * Math.abs(slope),
                Double.isNaN(computed) ? NOT_KEPT : line.kink(computed, slope, bound)),
            slope,
            computed);
      }
      largest = Math.max(largest, Math.abs(slope));
    }
    if (largest <= 10 * bound && gradient.data().length > 0) {
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

  /** The loss along one element of the input or a parameter. */
  private final class Line {
    private final float[] at;
    private final int i;
    private final Runnable changed;
    private final FloatMatrix input;
    private final FloatMatrix r;

    Line(float[] at, int i, Runnable changed, FloatMatrix input, FloatMatrix r) {
      this.at = at;
      this.i = i;
      this.changed = changed;
      this.input = input;
      this.r = r;
    }

    double slope() {
      return (8 * difference(h) - difference(2 * h)) / (12 * h);
    }

    private double difference(float step) {
      return 2 * step * slope(at[i] - step, at[i] + step); // steps as they are after rounding
    }

    private double slope(float from, float to) {
      return (loss(to) - loss(from)) / ((double) to - from);
    }

    private double loss(float value) {
      float before = at[i];
      at[i] = value;
      changed.run();
      double sum = 0;
      FloatMatrix y = computation.forward(Tape.none(kernels), Tensor.of(input)).value();
      for (int row = 0; row < y.rows(); row++) {
        for (int j = 0; j < y.cols(); j++) {
          sum += (double) r.get(row, j) * y.get(row, j);
        }
      }
      at[i] = before;
      changed.run();
      return sum;
    }

    /**
     * What speaks for a kink; empty if nothing does. With it here, the slopes to both sides differ
     * by as much for an eighth of the step, where those of a curve differ by an eighth. With it
     * near, the computed gradient is right for an eighth of the step. There, rounding moves a slope
     * by up to 32 u S / (h/8), 11 times the bound.
     */
    String kink(double computed, double slope, double bound) {
      float middle = at[i];
      double left = slope(middle - h / 8, middle);
      double right = slope(middle, middle + h / 8);
      double wide = slope(middle, middle + h) - slope(middle - h, middle);
      double noise = 11 * bound;
      boolean here = Math.abs(right - left) > Math.max(0.5 * Math.abs(wide), 2 * noise);
      double closer = Math.abs(computed - (left + right) / 2);
      boolean near =
          closer <= noise + 1e-4 * Math.abs(computed) && Math.abs(computed - slope) > 3 * noise;
      return here || near
          ? String.format(
              Locale.ROOT,
              "; here the slope is %.7g to the left and %.7g to the right, so there is a kink"
                  + " within the step of %s (expected values away from it, or a smaller step)",
              left,
              right,
              h)
          : "";
    }
  }
}
