package dev.switchyard.layers.attention;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Node;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/**
 * Multiplies part of each row by a gate of its own:
 *
 * <pre>
 *   y_ij = x_ij for j < from      y_ij = m_i x_ij for j >= from
 *   dx_ij likewise of dy          dm_i = sum of dy_ij x_ij over j >= from
 * </pre>
 */
final class RowGates {
  private RowGates() {}

  // x [rows, cols], gates [rows, 1] -> y [rows, cols]
  static Tensor scale(Tape tape, Tensor x, int from, Tensor gates) {
    if (gates.rows() != x.rows() || gates.cols() != 1) {
      throw new IllegalArgumentException(
          "gates are "
              + gates.value().shape()
              + " but there are "
              + x.rows()
              + " rows (expected "
              + x.rows()
              + "x1)");
    }
    FloatMatrix y = tape.result(x.rows(), x.cols());
    scale(tape, x.value(), from, gates.value(), y);
    return tape.node(y)
        .from(x, gates)
        .keeps(x.value(), gates.value())
        .backward((gy, kept) -> backward(tape, x, from, gates, kept, gy));
  }

  // gy [rows, cols] -> gx [rows, cols], gm [rows, 1]
  private static void backward(
      Tape tape, Tensor x, int from, Tensor gates, Node.Kept kept, FloatMatrix gy) {
    if (gates.wantsGrad()) {
      FloatMatrix gm = tape.take(x.rows(), 1);
      tape.kernels()
          .parallel()
          .forEach(x.rows(), i -> gm.set(i, 0, (float) dot(gy, kept.floats(0), i, from)));
      tape.addGrad(gates, gm);
    }
    if (x.wantsGrad()) {
      FloatMatrix gx = tape.take(x.rows(), x.cols());
      scale(tape, gy, from, kept.floats(1), gx);
      tape.addGrad(x, gx);
    }
  }

  private static void scale(Tape tape, FloatMatrix x, int from, FloatMatrix gates, FloatMatrix y) {
    tape.kernels()
        .parallel()
        .forEach(
            x.rows(),
            i -> {
              int in = x.rowIndex(i);
              int out = y.rowIndex(i);
              float gate = gates.get(i, 0);
              System.arraycopy(x.data(), in, y.data(), out, from);
              for (int j = from; j < x.cols(); j++) {
                y.data()[out + j] = gate * x.data()[in + j];
              }
            });
  }

  private static double dot(FloatMatrix a, FloatMatrix b, int row, int from) {
    double sum = 0;
    for (int j = from; j < a.cols(); j++) {
      sum += (double) a.get(row, j) * b.get(row, j);
    }
    return sum;
  }
}
