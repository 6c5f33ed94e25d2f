package dev.switchyard.kernels;

import dev.switchyard.kernels.backend.ElementwiseKernel;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.driver.RowTasks;
import dev.switchyard.kernels.driver.RunSum;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.kernels.stack.StackProbe;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntConsumer;

/**
 * The work of a transformer that is not a product, each operation one pass over its rows. Results
 * are the same for every number of threads. Thread-safe.
 *
 * <p>Every method throws {@link IllegalArgumentException} if shapes or lengths do not go together,
 * before anything is written.
 */
public final class Elementwise {
  private static final int LINE = 16; // floats

  private final ElementwiseKernel kernel;
  private final Parallel parallel;

  Elementwise(ElementwiseKernel kernel, Parallel parallel) {
    this.kernel = kernel;
    this.parallel = parallel;
  }

  /**
   * {@code out = x + y}.
   *
   * @param x [rows, cols]
   * @param y [rows, cols]
   * @param out [rows, cols]; may be x or y
   */
  public void add(FloatMatrix x, FloatMatrix y, FloatMatrix out) {
    checkShape("y", y, x.rows(), x.cols());
    checkShape("out", out, x.rows(), x.cols());
    eachRow(
        x,
        1,
        i ->
            kernel.add(
                x.data(),
                x.rowIndex(i),
                y.data(),
                y.rowIndex(i),
                out.data(),
                out.rowIndex(i),
                x.cols()));
  }

  /**
   * {@code sums[j] += sum over i of x[i, j]}, rows in ascending order: the gradient of a bias.
   *
   * @param x [rows, cols]
   * @param sums at least {@code cols} elements
   */
  public void addColumnSums(FloatMatrix x, float[] sums) {
    checkLength("sums", sums, x.cols());
    forEach(
        x.cols(),
        x.rows(),
        columnsATask(x),
        (begin, end) ->
            kernel.addRows(
                x.data(),
                x.rowIndex(0) + begin,
                x.rowStride(),
                x.rows(),
                sums,
                begin,
                end - begin));
  }

  /**
   * {@code y(i, j) = x(i, j) factors(j)}.
   *
   * @param x input
   * @param factors one value a column
   * @param y result; may be x
   * @throws IllegalArgumentException if the shapes differ or there are too few factors
   */
  public void scaleColumns(FloatMatrix x, float[] factors, FloatMatrix y) {
    checkShape("y", y, x.rows(), x.cols());
    checkLength("factors", factors, x.cols());
    eachRow(
        x,
        1,
        i ->
            kernel.multiply(
                x.data(), x.rowIndex(i), factors, 0, y.data(), y.rowIndex(i), x.cols()));
  }

  /**
   * {@code sums(j) = sums(j) + sum of x(i, j) y(i, j) over i}, rows in ascending order.
   *
   * @param x matrix
   * @param y matrix
   * @param sums one value a column
   * @throws IllegalArgumentException if the shapes differ or the array is too short
   */
  public void addColumnDots(FloatMatrix x, FloatMatrix y, float[] sums) {
    checkShape("y", y, x.rows(), x.cols());
    checkLength("sums", sums, x.cols());
    forEach(
        x.cols(),
        x.rows(),
        columnsATask(x),
        (begin, end) -> {
          for (int i = 0; i < x.rows(); i++) {
            kernel.addProducts(
                x.data(),
                x.rowIndex(i) + begin,
                y.data(),
                y.rowIndex(i) + begin,
                sums,
                begin,
                end - begin);
          }
        });
  }

  /**
   * {@code y = x Phi(x)}, the exact GELU (Hendrycks and Gimpel 2016); absolute error below 1e-6.
   *
   * @param x [rows, cols]
   * @param y [rows, cols]; may be x
   */
  public void gelu(FloatMatrix x, FloatMatrix y) {
    checkShape("y", y, x.rows(), x.cols());
    eachRow(x, 4, i -> kernel.gelu(x.data(), x.rowIndex(i), y.data(), y.rowIndex(i), x.cols()));
  }

  /**
   * {@code gx = gy (Phi(x) + x phi(x))}.
   *
   * @param x input of the forward pass
   * @param gy gradient of its output
   * @param gx receives the gradient of x; may be gy
   */
  public void geluBackward(FloatMatrix x, FloatMatrix gy, FloatMatrix gx) {
    checkShape("gy", gy, x.rows(), x.cols());
    checkShape("gx", gx, x.rows(), x.cols());
    eachRow(
        x,
        4,
        i ->
            kernel.geluBackward(
                x.data(),
                x.rowIndex(i),
                gy.data(),
                gy.rowIndex(i),
                gx.data(),
                gx.rowIndex(i),
                x.cols()));
  }

  /**
   * Layer normalization over the features of each row (Ba et al. 2016): {@code y = (x - mean) rstd
   * gamma + beta}.
   *
   * @param x [rows, cols]
   * @param gamma cols gains
   * @param beta cols shifts
   * @param eps added to the variance
   * @param y [rows, cols]; may be x
   * @param stats receives three numbers of each row for the backward pass: mean, rstd, and what the
   *     rounding of the mean to float leaves of {@code (x - mean) rstd}; NaN if there are no
   *     columns
   */
  public void layerNorm(
      FloatMatrix x, float[] gamma, float[] beta, float eps, FloatMatrix y, float[] stats) {
    checkShape("y", y, x.rows(), x.cols());
    checkLength("gamma", gamma, x.cols());
    checkLength("beta", beta, x.cols());
    checkLength("stats", stats, 3L * x.rows());
    eachRange(
        x,
        2,
        (begin, end) ->
            kernel.layerNorm(
                x.data(),
                x.rowIndex(begin),
                x.rowStride(),
                gamma,
                beta,
                eps,
                y.data(),
                y.rowIndex(begin),
                y.rowStride(),
                end - begin,
                x.cols(),
                stats,
                3 * begin));
  }

  /**
   * The input gradient of {@link #layerNorm}.
   *
   * @param x input of the forward pass
   * @param gamma its gains
   * @param stats its statistics
   * @param gy gradient of its output
   * @param gx receives the gradient of x; may be gy
   */
  public void layerNormBackward(
      FloatMatrix x, float[] gamma, float[] stats, FloatMatrix gy, FloatMatrix gx) {
    checkShape("gy", gy, x.rows(), x.cols());
    checkShape("gx", gx, x.rows(), x.cols());
    checkLength("gamma", gamma, x.cols());
    checkLength("stats", stats, 3L * x.rows());
    eachRange(
        x,
        2,
        (begin, end) ->
            kernel.layerNormBackward(
                x.data(),
                x.rowIndex(begin),
                x.rowStride(),
                gamma,
                stats,
                3 * begin,
                gy.data(),
                gy.rowIndex(begin),
                gy.rowStride(),
                gx.data(),
                gx.rowIndex(begin),
                gx.rowStride(),
                end - begin,
                x.cols()));
  }

  /**
   * The parameter gradients of {@link #layerNorm}, added to what is there, rows in ascending order.
   *
   * @param x input of the forward pass
   * @param stats its statistics
   * @param gy gradient of its output
   * @param ggamma cols gradients of the gains
   * @param gbeta cols gradients of the shifts
   */
  public void layerNormParameterGradients(
      FloatMatrix x, float[] stats, FloatMatrix gy, float[] ggamma, float[] gbeta) {
    checkShape("gy", gy, x.rows(), x.cols());
    checkLength("stats", stats, 3L * x.rows());
    checkLength("ggamma", ggamma, x.cols());
    checkLength("gbeta", gbeta, x.cols());
    forEach(
        x.cols(),
        2L * x.rows(),
        columnsATask(x),
        (begin, end) ->
            kernel.layerNormParameters(
                x.data(),
                x.rowIndex(0) + begin,
                x.rowStride(),
                stats,
                0,
                gy.data(),
                gy.rowIndex(0) + begin,
                gy.rowStride(),
                x.rows(),
                ggamma,
                gbeta,
                begin,
                end - begin));
  }

  /**
   * {@code x = softmax(scale x)} in each row, in place.
   *
   * @param x [rows, cols]
   * @param scale multiplies x first
   * @param normalizers receives two numbers of each row: the x of its largest {@code scale x}, and
   *     the logarithm of the sum of {@code exp(scale (x - largest))}, both infinite if there are no
   *     columns. In one number, the rounding of a large score would drown the logarithm
   * @param offset where the first goes
   */
  public void softmax(FloatMatrix x, float scale, float[] normalizers, int offset) {
    softmaxOf(x, x.cols(), scale, normalizers, offset);
  }

  /**
   * {@link #softmax(FloatMatrix, float, float[], int)} of scores in which row i sees its first
   * {@code visible + i} columns alone, as in causal attention; the others become 0.
   *
   * @param x [rows, cols]
   * @param visible columns that row 0 sees, at least 1
   * @param scale multiplies x first
   * @param normalizers receives two numbers of each row
   * @param offset where the first goes
   */
  public void softmax(FloatMatrix x, int visible, float scale, float[] normalizers, int offset) {
    checkVisible(visible);
    softmaxOf(x, visible, scale, normalizers, offset);
  }

  private void softmaxOf(FloatMatrix x, int visible, float scale, float[] normalizers, int offset) {
    checkNotNegative("offset", offset);
    checkLength("normalizers", normalizers, offset + 2L * x.rows());
    eachRange(
        x,
        4,
        (begin, end) -> {
          kernel.softmax(
              x.data(),
              x.rowIndex(begin),
              x.rowStride(),
              end - begin,
              x.cols(),
              visible(x, visible, begin),
              scale,
              normalizers,
              offset + 2 * begin);
          for (int i = begin; i < end; i++) {
            clearFrom(x, i, visible(x, visible, i));
          }
        });
  }

  /**
   * {@code x = exp(scale (x - largest) - log)} in each row, in place: repeats a softmax from its
   * normalizers.
   *
   * @param x [rows, cols]
   * @param scale as in {@link #softmax}
   * @param normalizers as {@link #softmax} left them
   * @param offset where the first is
   */
  public void softmaxFromNormalizers(FloatMatrix x, float scale, float[] normalizers, int offset) {
    softmaxFromNormalizersOf(x, x.cols(), scale, normalizers, offset);
  }

  /**
   * {@link #softmaxFromNormalizers(FloatMatrix, float, float[], int)} where row i sees its first
   * {@code visible + i} columns alone; the others become 0.
   *
   * @param x [rows, cols]
   * @param visible columns that row 0 sees, at least 1
   * @param scale as in {@link #softmax}
   * @param normalizers as {@link #softmax} left them
   * @param offset where the first is
   */
  public void softmaxFromNormalizers(
      FloatMatrix x, int visible, float scale, float[] normalizers, int offset) {
    checkVisible(visible);
    softmaxFromNormalizersOf(x, visible, scale, normalizers, offset);
  }

  private void softmaxFromNormalizersOf(
      FloatMatrix x, int visible, float scale, float[] normalizers, int offset) {
    checkNotNegative("offset", offset);
    checkLength("normalizers", normalizers, offset + 2L * x.rows());
    eachRow(
        x,
        4,
        i -> {
          int n = visible(x, visible, i);
          float largest = normalizers[offset + 2 * i];
          float log = normalizers[offset + 2 * i + 1];
          kernel.softmaxKnown(x.data(), x.rowIndex(i), scale, largest, log, n);
          clearFrom(x, i, n);
        });
  }

  /**
   * {@code gs = scale p (gp - sum(p gp))} in each row: the gradient behind {@link #softmax}, 0
   * where p is 0.
   *
   * @param p its result
   * @param gp gradient of p
   * @param scale as in {@link #softmax}
   * @param gs receives the gradient; may be gp
   */
  public void softmaxBackward(FloatMatrix p, FloatMatrix gp, float scale, FloatMatrix gs) {
    checkShape("gp", gp, p.rows(), p.cols());
    checkShape("gs", gs, p.rows(), p.cols());
    eachRow(
        p,
        2,
        i ->
            kernel.softmaxBackward(
                p.data(),
                p.rowIndex(i),
                gp.data(),
                gp.rowIndex(i),
                scale,
                gs.data(),
                gs.rowIndex(i),
                p.cols()));
  }

  private static void checkVisible(int visible) {
    if (visible < 1) {
      throw new IllegalArgumentException("visible is " + visible + " (expected 1 or more)");
    }
  }

  private static int visible(FloatMatrix x, int ofFirstRow, int row) {
    return (int) Math.min(x.cols(), (long) ofFirstRow + row);
  }

  private static void clearFrom(FloatMatrix x, int row, int col) {
    if (col < x.cols()) { // a row without columns may lie outside of the array
      Arrays.fill(x.data(), x.rowIndex(row) + col, x.rowIndex(row) + x.cols(), 0);
    }
  }

  /**
   * {@code y(i, j) = x(i, j) / (1 - rate)} with probability {@code 1 - rate}, otherwise 0 (dropout,
   * Srivastava et al. 2014, with the scale applied in training). Equal keys drop the same elements
   * whatever x is: the gradient is this very operation on the gradient of y.
   *
   * @param x [rows, cols]
   * @param rate the part to drop, from 0 to less than 1
   * @param key of the random numbers, element (i, j) takes number {@code i cols + j}, see {@link
   *     CounterRandom#key}
   * @param y [rows, cols]; may be x
   * @throws IllegalArgumentException if the shapes differ or the rate is out of range
   */
  public void dropout(FloatMatrix x, float rate, long key, FloatMatrix y) {
    checkShape("y", y, x.rows(), x.cols());
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException(
          "rate is " + rate + " (expected 0 or more, and less than 1)");
    }
    eachRow(
        x,
        4,
        i ->
            kernel.dropout(
                x.data(),
                x.rowIndex(i),
                y.data(),
                y.rowIndex(i),
                x.cols(),
                rate,
                key,
                i * x.cols()));
  }

  /**
   * One AdamW step (Loshchilov and Hutter 2019, algorithm 2) on a run of parameters. With {@code m}
   * and {@code v} the running moments and t the step:
   *
   * <pre>
   *   m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
   *   w = w (1 - lr decay) - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
   * </pre>
   *
   * @param w parameters
   * @param g their gradients
   * @param m first moments
   * @param v second moments
   * @param n how many of each
   * @param step t, from 1 on
   * @param lr learning rate
   * @param beta1 decay of the first moment
   * @param beta2 decay of the second moment
   * @param eps added to the root of the second moment
   * @param decay decoupled weight decay
   */
  public void adamW(
      float[] w,
      float[] g,
      float[] m,
      float[] v,
      int n,
      int step,
      float lr,
      float beta1,
      float beta2,
      float eps,
      float decay) {
    checkNotNegative("n", n);
    checkLength("w", w, n);
    checkLength("g", g, n);
    checkLength("m", m, n);
    checkLength("v", v, n);
    if (step < 1) {
      throw new IllegalArgumentException("step is " + step + " (expected 1 or more)");
    }
    var constants =
        new ElementwiseKernel.AdamStep(
            lr,
            beta1,
            beta2,
            eps,
            decay,
            (float) (1 - Math.pow(beta1, step)),
            (float) (1 - Math.pow(beta2, step)));
    forEach(n, 1, 16, (begin, end) -> kernel.adamW(w, g, m, v, begin, end - begin, constants));
  }

  /**
   * The moments of one step of StableAdamW (Wortsman et al. 2023, algorithm 2), with decays that
   * correct their bias:
   *
   * <pre>
   *   b1 = beta1 (1 - beta1^(t - 1)) / (1 - beta1^t)       b2 likewise
   *   m = b1 m + (1 - b1) g          v = b2 v + (1 - b2) g^2
   * </pre>
   *
   * @param g gradients
   * @param m first moments
   * @param v second moments
   * @param n how many of each
   * @param step t, from 1 on
   * @param beta1 decay of the first moment
   * @param beta2 decay of the second moment
   * @param eps the divisor below is at least {@code eps^2}
   * @return the root of the mean of {@code g^2 / max(v, eps^2)} over all n with the new v, which is
   *     above 1 where v falls behind; 0 if n is 0
   * @throws IllegalArgumentException if an array is too short, the step is less than 1, or the
   *     square of eps is not a normal float
   */
  public double stableAdamWMoments(
      float[] g, float[] m, float[] v, int n, int step, float beta1, float beta2, float eps) {
    checkNotNegative("n", n);
    checkLength("g", g, n);
    checkLength("m", m, n);
    checkLength("v", v, n);
    if (step < 1) {
      throw new IllegalArgumentException("step is " + step + " (expected 1 or more)");
    }
    float floor = eps * eps;
    if (!(floor >= Float.MIN_NORMAL && floor < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "eps is " + eps + " (expected a number whose square is a normal float)");
    }
    float keep1 = corrected(beta1, step);
    float keep2 = corrected(beta2, step);
    StackProbe.require();
    double sum =
        RunSum.of(
            parallel,
            n,
            (from, length) -> kernel.moments(g, m, v, from, length, keep1, keep2, floor));
    return n == 0 ? 0 : Math.sqrt(sum / n);
  }

  private static float corrected(float beta, int step) {
    return (float) (beta * (1 - Math.pow(beta, step - 1)) / (1 - Math.pow(beta, step)));
  }

  /**
   * The update that goes with {@link #stableAdamWMoments}: {@code w = w (1 - decay) - rate m /
   * (sqrt(v) + eps)}.
   *
   * @param w parameters
   * @param m first moments
   * @param v second moments
   * @param n how many of each
   * @param decay share of w that is taken away, a learning rate times a weight decay
   * @param rate learning rate
   * @param eps added to the root of the second moment
   * @throws IllegalArgumentException if an array is too short
   */
  public void stableAdamWUpdate(
      float[] w, float[] m, float[] v, int n, float decay, float rate, float eps) {
    checkNotNegative("n", n);
    checkLength("w", w, n);
    checkLength("m", m, n);
    checkLength("v", v, n);
    forEach(
        n,
        1,
        16,
        (begin, end) -> kernel.applyMoments(w, m, v, begin, end - begin, 1 - decay, rate, eps));
  }

  /**
   * The sum of the squares of n elements: runs of them are summed in float where nothing is lost to
   * overflow or underflow, else in double, and all in double.
   *
   * @param x the elements
   * @param n how many of them
   * @return the sum, the same for every number of threads; not finite if an element is not
   * @throws IllegalArgumentException if the array is too short
   */
  public double sumOfSquares(float[] x, int n) {
    checkNotNegative("n", n);
    checkLength("x", x, n);
    StackProbe.require();
    return RunSum.of(parallel, n, (from, length) -> kernel.sumOfSquares(x, from, length));
  }

  /**
   * {@code x = factor x}.
   *
   * @param x the elements
   * @param n how many of them
   * @param factor the factor
   * @throws IllegalArgumentException if the array is too short
   */
  public void scale(float[] x, int n, float factor) {
    checkNotNegative("n", n);
    checkLength("x", x, n);
    forEach(n, 1, 16, (begin, end) -> kernel.scale(x, begin, end - begin, factor));
  }

  /**
   * Sums down columns: one run of columns for each thread, as a shorter one has less of each row
   * than a core foresees; in units of a cache line.
   */
  private int columnsATask(FloatMatrix x) {
    int lines = (int) Math.ceilDiv((long) x.cols(), (long) LINE * parallel.threads());
    return Math.max(1, lines) * LINE;
  }

  /** Runs over all rows of x, see {@link #eachRange}. */
  private void eachRow(FloatMatrix x, int work, IntConsumer row) {
    if (x.cols() == 0) { // of empty rows there may be 2^31 - 1
      return;
    }
    eachRange(
        x,
        work,
        (begin, end) -> {
          for (int i = begin; i < end; i++) {
            row.accept(i);
          }
        });
  }

  /**
   * Runs over ranges of the rows of x; {@code work} is the cost of an element against that of an
   * addition.
   */
  private void eachRange(FloatMatrix x, int work, RowTasks.Range rows) {
    forEach(x.rows(), (long) work * x.cols(), 1, rows);
  }

  private void forEach(int rows, long elementsARow, int grain, RowTasks.Range body) {
    StackProbe.require();
    RowTasks.forEach(parallel, rows, elementsARow, grain, body);
  }

  private static void checkShape(String name, FloatMatrix matrix, int rows, int cols) {
    if (matrix.rows() != rows || matrix.cols() != cols) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s is %s but x is %dx%d (expected equal)",
              name,
              matrix.shape(),
              rows,
              cols));
    }
  }

  private static void checkNotNegative(String name, int value) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " is " + value + " (expected 0 or more)");
    }
  }

  private static void checkLength(String name, float[] array, long needed) {
    if (array.length < needed) {
      throw new IllegalArgumentException(
          name + " has " + array.length + " elements (expected at least " + needed + ")");
    }
  }
}
