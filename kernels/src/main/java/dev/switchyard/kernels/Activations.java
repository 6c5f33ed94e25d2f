package dev.switchyard.kernels;

import dev.switchyard.kernels.backend.ActivationKernel;
import dev.switchyard.kernels.data.Activation;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.driver.RowTasks;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.kernels.stack.StackProbe;

/**
 * Functions of each element, one pass over the matrix. Results are the same for every number of
 * threads. Thread-safe. Shapes that do not go together are refused by an {@link
 * IllegalArgumentException} before anything is written.
 */
public final class Activations {
  private static final int WORK = 4; // additions of two elements

  private final ActivationKernel kernel;
  private final Parallel parallel;

  Activations(ActivationKernel kernel, Parallel parallel) {
    this.kernel = kernel;
    this.parallel = parallel;
  }

  /**
   * {@code y = f(x)}; error below 1e-6 (1 + |x|).
   *
   * @param f the function
   * @param x [rows, cols]
   * @param y [rows, cols]; may be x
   */
  public void forward(Activation f, FloatMatrix x, FloatMatrix y) {
    check("y", y, x);
    eachRow(x, (begin, end) -> kernel.values(f, x, y, begin, end));
  }

  /**
   * {@code gx = gy f'(x)}.
   *
   * @param f the function
   * @param x its input in the forward pass
   * @param gy gradient of its output
   * @param gx receives the gradient of x; may be gy
   */
  public void backward(Activation f, FloatMatrix x, FloatMatrix gy, FloatMatrix gx) {
    check("gy", gy, x);
    check("gx", gx, x);
    eachRow(x, (begin, end) -> kernel.gradients(f, x, gy, gx, begin, end));
  }

  private void eachRow(FloatMatrix x, RowTasks.Range body) {
    if (x.cols() > 0) { // of rows of nothing there may be 2^31 - 1
      StackProbe.require();
      RowTasks.forEach(parallel, x.rows(), (long) WORK * x.cols(), 1, body);
    }
  }

  private static void check(String name, FloatMatrix matrix, FloatMatrix x) {
    if (matrix.rows() != x.rows() || matrix.cols() != x.cols()) {
      throw new IllegalArgumentException(
          name + " is " + matrix.shape() + " but x is " + x.shape() + " (expected equal)");
    }
  }
}
