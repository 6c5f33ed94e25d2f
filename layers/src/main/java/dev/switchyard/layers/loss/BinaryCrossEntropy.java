package dev.switchyard.layers.loss;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Locale;

/**
 * The mean cross-entropy of scores x (logits), each for itself, with probabilities t: for labels
 * that do not exclude one another, and for one of two. With s(x) = 1 / (1 + e^-x),
 *
 * <pre>
 *   loss = -(sum of t log s(x) + (1 - t) log(1 - s(x))) / n
 *        = (sum of max(x, 0) - t x + log(1 + e^-|x|)) / n
 *   dx   = (s(x) - t) / n                                      n = rows cols
 * </pre>
 *
 * The second form is computed, in double precision: nothing in it overflows, and no score is so
 * large that the logarithm of 0 is taken. For use by one thread at a time, as all that computes on
 * a tape; the object itself is immutable.
 */
public final class BinaryCrossEntropy {
  /** The loss. */
  public BinaryCrossEntropy() {}

  // x, t [rows, cols] -> loss [1, 1]
  /**
   * Computes the loss and records how to go back.
   *
   * @param tape records and computes
   * @param x scores, [rows, cols] with at least one element
   * @param target t [rows, cols], each from 0 to 1, read on the way back too
   * @return the loss, 1x1
   * @throws IllegalArgumentException if the shapes differ, there is no element, or a target is out
   *     of range
   * @throws dev.switchyard.kernels.data.NonFiniteException if the loss is not finite and the policy
   *     of the tape's kernels is to reject it; where it propagates, the gradient is NaN
   */
  public Tensor forward(Tape tape, Tensor x, FloatMatrix target) {
    if (target.rows() != x.rows() || target.cols() != x.cols() || x.rows() == 0 || x.cols() == 0) {
      throw new IllegalArgumentException(
          "target is "
              + target.shape()
              + " but scores are "
              + x.value().shape()
              + " (expected equal, with at least one element)");
    }
    double sum = 0;
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        sum += ofOne(x.value().get(i, j), probability(target, i, j));
      }
    }
    double mean = sum / ((double) x.rows() * x.cols());
    NonFinite.check(
        tape,
        mean,
        () ->
            String.format(
                Locale.ROOT,
                "the binary cross-entropy of %s scores is %s (expected a number within float32)",
                x.value().shape(),
                mean));
    FloatMatrix loss = tape.result(1, 1);
    loss.set(0, 0, (float) mean);
    return tape.node(loss)
        .from(x)
        .keeps(x.value())
        .backward(
            (gy, kept) -> {
              double g = NonFinite.isFinite(mean) ? gy.get(0, 0) : Double.NaN;
              backward(tape, x, kept.floats(0), target, g);
            });
  }

  private static double ofOne(double x, double t) {
    return Math.max(x, 0) - t * x + Math.log1p(Math.exp(-Math.abs(x)));
  }

  private static double probability(FloatMatrix target, int row, int col) {
    float t = target.get(row, col);
    if (!(t >= 0 && t <= 1)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "target (%d, %d) is %s (expected 0 to 1)", row, col, t));
    }
    return t;
  }

  // gy [1, 1] -> gx [rows, cols]
  private static void backward(
      Tape tape, Tensor x, FloatMatrix value, FloatMatrix target, double g) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    double factor = g / ((double) x.rows() * x.cols());
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        double e = Math.exp(-Math.abs(value.get(i, j)));
        double s = (value.get(i, j) >= 0 ? 1 : e) / (1 + e);
        gx.set(i, j, (float) (factor * (s - target.get(i, j))));
      }
    }
    tape.addGrad(x, gx);
  }
}
