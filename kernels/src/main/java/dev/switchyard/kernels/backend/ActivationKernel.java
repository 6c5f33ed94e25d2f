package dev.switchyard.kernels.backend;

import dev.switchyard.kernels.data.Activation;
import dev.switchyard.kernels.data.FloatMatrix;

/**
 * Activations and their gradients, over the rows from {@code begin} to {@code end - 1}. Written
 * here in double precision, for a backend to do faster.
 */
public interface ActivationKernel {
  /** {@code y = f(x)}; y may be x. */
  default void values(Activation f, FloatMatrix x, FloatMatrix y, int begin, int end) {
    for (int i = begin; i < end; i++) {
      for (int j = 0; j < x.cols(); j++) {
        y.data()[y.rowIndex(i) + j] = (float) f.value(x.data()[x.rowIndex(i) + j]);
      }
    }
  }

  /** {@code gx = gy f'(x)}; gx may be gy. */
  default void gradients(
      Activation f, FloatMatrix x, FloatMatrix gy, FloatMatrix gx, int begin, int end) {
    for (int i = begin; i < end; i++) {
      for (int j = 0; j < x.cols(); j++) {
        double slope = f.slope(x.data()[x.rowIndex(i) + j]);
        gx.data()[gx.rowIndex(i) + j] = (float) (gy.data()[gy.rowIndex(i) + j] * slope);
      }
    }
  }
}
