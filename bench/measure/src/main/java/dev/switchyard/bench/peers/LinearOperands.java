package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.FloatMatrix;

/**
 * What goes into a training step of a linear layer.
 *
 * @param x the input [rows, in]
 * @param w the weight [out, in]
 * @param bias out values
 * @param g the gradient of the output [rows, out]
 */
public record LinearOperands(FloatMatrix x, FloatMatrix w, float[] bias, FloatMatrix g) {
  /** Rows of input and output. */
  public int rows() {
    return x.rows();
  }

  /** Features of the input. */
  public int in() {
    return x.cols();
  }

  /** Features of the output. */
  public int out() {
    return w.rows();
  }
}
