package dev.switchyard.layers.norm;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/**
 * Rows of length 1, so that their products are cosines; a row of zeros stays one:
 *
 * <pre>
 *   y = x / |x|      dx = (dy - y (y . dy)) / |x|
 * </pre>
 */
public final class L2Normalization implements Layer {
  /** The normalization. */
  public L2Normalization() {}

  // x [rows, cols] -> y [rows, cols]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    FloatMatrix from = x.value();
    FloatMatrix y = tape.result(x.rows(), x.cols());
    tape.kernels()
        .parallel()
        .forEach(
            x.rows(),
            i -> {
              double length = Math.sqrt(dot(from, from, i));
              for (int j = 0; j < x.cols(); j++) {
                y.set(i, j, length == 0 ? 0 : (float) (from.get(i, j) / length));
              }
            });
    return tape.node(y)
        .from(x)
        .keeps(from)
        .backward((gy, kept) -> backward(tape, x, kept.floats(0), gy));
  }

  // gy [rows, cols] -> gx [rows, cols]
  private static void backward(Tape tape, Tensor x, FloatMatrix from, FloatMatrix gy) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    tape.kernels()
        .parallel()
        .forEach(
            x.rows(),
            i -> {
              double length = Math.sqrt(dot(from, from, i)); // again: a float has none for 1e-45
              double along = dot(from, gy, i) / length;
              for (int j = 0; j < x.cols(); j++) {
                double across = gy.get(i, j) - along * (from.get(i, j) / length);
                gx.set(i, j, length == 0 ? 0 : (float) (across / length));
              }
            });
    tape.addGrad(x, gx);
  }

  private static double dot(FloatMatrix a, FloatMatrix b, int row) {
    double sum = 0;
    for (int j = 0; j < a.cols(); j++) {
      sum += (double) a.get(row, j) * b.get(row, j);
    }
    return sum;
  }
}
