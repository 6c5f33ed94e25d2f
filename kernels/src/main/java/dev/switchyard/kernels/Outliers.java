package dev.switchyard.kernels;

import dev.switchyard.kernels.backend.ElementwiseKernel;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.SparseMatrix;
import dev.switchyard.kernels.stack.StackProbe;
import java.util.Locale;

/**
 * The few elements of a matrix that are much larger than the others of their row. With one scale a
 * row, int8 is as coarse for all as the largest makes it; so the others are quantized without them,
 * and their part of a product is added in float32:
 *
 * <pre>
 *   x = rest + outliers      x w = rest w + outliers w
 * </pre>
 *
 * Dettmers et al. 2022 (LLM.int8(), section 3.2) do so with whole columns of activations, Kim et
 * al. 2023 (SqueezeLLM, section 4.2) with single elements of weights; here it is single elements of
 * activations, so that no row depends on another. Everything is computed by the calling thread;
 * results are the same bit for bit on every backend. Thread-safe.
 */
public final class Outliers {
  private static final int PARTIAL_SUMS = 8;

  /** A mean of squares from here on has lost nothing that matters to underflow. */
  private static final double LEAST_SQUARE = 1e-30;

  private final ElementwiseKernel kernel;

  Outliers(ElementwiseKernel kernel) {
    this.kernel = kernel;
  }

  /**
   * Parts the outliers of a matrix from the rest of it. At most {@code cols / factor^2} elements of
   * a row are outliers (Chebyshev's inequality). A row with an element that is not finite has none.
   *
   * @param x [rows, cols]
   * @param factor an outlier has more than so many times the root mean square of its row; more than
   *     0
   * @param outliers takes the shape of x; after an exception it holds no values
   * @param rest [rows, cols], receives x with zeros in the places of outliers; may be x
   * @throws IllegalArgumentException if shapes do not go together, or the factor is not more than 0
   */
  public void split(FloatMatrix x, float factor, SparseMatrix outliers, FloatMatrix rest) {
    if (!(factor > 0)) {
      throw new IllegalArgumentException("factor is " + factor + " (expected more than 0)");
    }
    if (rest.rows() != x.rows() || rest.cols() != x.cols()) {
      throw new IllegalArgumentException(
          "rest is " + rest.shape() + " but x is " + x.shape() + " (expected equal)");
    }
    StackProbe.require();
    outliers.beginFill(x.rows(), x.cols());
    int rows = x.cols() == 0 ? 0 : x.rows(); // those of an empty view need not lie in its array
    for (int i = 0; i < rows; i++) {
      int from = x.rowIndex(i);
      int at = outliers.beginRow(i);
      int end =
          kernel.split(
              x.data(),
              from,
              factor * rootMeanSquare(x.data(), from, x.cols()),
              rest.data(),
              rest.rowIndex(i),
              outliers.values(),
              outliers.columns(),
              at,
              x.cols());
      outliers.endRow(i, end);
    }
    outliers.endFill();
  }

  /**
   * {@code y += outliers w}.
   *
   * @param outliers [rows, inner]
   * @param w [inner, cols]; quickest where it stays in cache and its rows follow each other
   * @param y [rows, cols]; must not overlap w
   * @throws IllegalArgumentException if shapes do not go together
   * @throws IllegalStateException if the outliers were not filled
   */
  public void addProduct(SparseMatrix outliers, FloatMatrix w, FloatMatrix y) {
    outliers.requireFilled();
    int rows = outliers.rows();
    if (w.rows() != outliers.cols() || y.rows() != rows || y.cols() != w.cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "outliers are %dx%d, w is %s and y is %s (expected w %dx%d and y %dx%d)",
              rows,
              outliers.cols(),
              w.shape(),
              y.shape(),
              outliers.cols(),
              w.cols(),
              rows,
              w.cols()));
    }
    StackProbe.require();
    for (int i = 0; i < rows; i++) {
      if (outliers.begin(i) < outliers.end(i)) {
        kernel.addRowProducts(
            outliers.values(),
            outliers.columns(),
            outliers.begin(i),
            outliers.end(i),
            w.data(),
            w.offset(),
            w.rowStride(),
            y.data(),
            y.rowIndex(i),
            y.cols());
      }
    }
  }

  /** In an order of additions that is the same for vectors of every width. */
  private static float rootMeanSquare(float[] x, int from, int n) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    float s4 = 0;
    float s5 = 0;
    float s6 = 0;
    float s7 = 0;
    int i = 0;
    for (; i <= n - PARTIAL_SUMS; i += PARTIAL_SUMS) {
      int k = from + i;
      s0 += x[k] * x[k];
      s1 += x[k + 1] * x[k + 1];
      s2 += x[k + 2] * x[k + 2];
      s3 += x[k + 3] * x[k + 3];
      s4 += x[k + 4] * x[k + 4];
      s5 += x[k + 5] * x[k + 5];
      s6 += x[k + 6] * x[k + 6];
      s7 += x[k + 7] * x[k + 7];
    }
    for (; i < n; i++) {
      s0 += x[from + i] * x[from + i];
    }
    double sum = (s0 + s1) + (s2 + s3) + ((s4 + s5) + (s6 + s7));
    if (!(sum > n * LEAST_SQUARE && sum <= Float.MAX_VALUE)) { // lost to underflow, or overflow
      sum = 0;
      for (int k = from; k < from + n; k++) {
        sum += (double) x[k] * x[k];
      }
    }
    return (float) Math.sqrt(sum / n);
  }
}
