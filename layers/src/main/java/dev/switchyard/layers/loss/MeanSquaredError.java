package dev.switchyard.layers.loss;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Locale;

/**
 * The mean over all elements of the squared difference from a target, such as what another model
 * computes (distillation):
 *
 * <pre>
 *   loss = sum of (x_ij - t_ij)^2 / n      dx = 2 (x - t) / n      n = rows cols
 * </pre>
 */
public final class MeanSquaredError {
  /** The loss. */
  public MeanSquaredError() {}

  // x, t [rows, cols] -> loss [1, 1]
  /**
   * Computes the loss and records how to go back.
   *
   * @param tape records and computes
   * @param x [rows, cols] with at least one element
   * @param target t [rows, cols], read on the way back too
   * @return the loss, 1x1
   * @throws IllegalArgumentException if the shapes differ or there is no element
   * @throws dev.switchyard.kernels.data.NonFiniteException if the loss is not finite and the policy
   *     of the tape's kernels is to reject it; where it propagates, the gradient is NaN
   */
  public Tensor forward(Tape tape, Tensor x, FloatMatrix target) {
    if (target.rows() != x.rows() || target.cols() != x.cols() || x.rows() == 0 || x.cols() == 0) {
      throw new IllegalArgumentException(
          "target is "
              + target.shape()
              + " but x is "
              + x.value().shape()
              + " (expected equal, with at least one element)");
    }
    double sum = 0;
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        double way = (double) x.value().get(i, j) - target.get(i, j);
        sum += way * way;
      }
    }
    double mean = sum / ((double) x.rows() * x.cols());
    NonFinite.check(
        tape,
        mean,
        () ->
            String.format(
                Locale.ROOT,
                "the mean squared error of a %s matrix is %s (expected a number within float32)",
                x.value().shape(),
                mean));
    FloatMatrix loss = tape.result(1, 1);
    loss.set(0, 0, (float) mean);
    return tape.node(loss)
        .from(x)
        .keeps(x.value())
        .backward(
            (gy, kept) ->
                backward(
                    tape,
                    x,
                    kept.floats(0),
                    target,
                    NonFinite.isFinite(mean) ? gy.get(0, 0) : Float.NaN));
  }

  // gy [1, 1] -> gx [rows, cols]
  private static void backward(
      Tape tape, Tensor x, FloatMatrix value, FloatMatrix target, float g) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    float factor = (float) (2.0 * g / ((double) x.rows() * x.cols()));
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        gx.set(i, j, factor * (value.get(i, j) - target.get(i, j)));
      }
    }
    tape.addGrad(x, gx);
  }
}
