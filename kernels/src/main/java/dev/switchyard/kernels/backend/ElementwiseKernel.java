package dev.switchyard.kernels.backend;

import dev.switchyard.kernels.data.CounterRandom;

/**
 * The inner loops of the element-wise work of a transformer, each one pass over a run of n
 * elements.
 */
public interface ElementwiseKernel {
  /** {@code out = x + y}; out may be x or y. */
  void add(float[] x, int xo, float[] y, int yo, float[] out, int oo, int n);

  /** Adds {@code rows} rows of x, {@code stride} elements apart, one after the other to sums. */
  default void addRows(float[] x, int xo, int stride, int rows, float[] sums, int so, int n) {
    for (int i = 0; i < rows; i++) {
      add(x, xo + i * stride, sums, so, sums, so, n);
    }
  }

  /** {@code out = x y}; out may be x or y. */
  void multiply(float[] x, int xo, float[] y, int yo, float[] out, int oo, int n);

  /** {@code sums = sums + x y}. */
  void addProducts(float[] x, int xo, float[] y, int yo, float[] sums, int so, int n);

  /** {@code y = gelu(x) = x Phi(x)}, Phi the standard normal distribution function. */
  void gelu(float[] x, int xo, float[] y, int yo, int n);

  /** {@code gx = gy (Phi(x) + x phi(x))}, phi the standard normal density; gx may be gy. */
  void geluBackward(float[] x, int xo, float[] gy, int go, float[] gx, int gxo, int n);

  /**
   * The statistics of a row, in double precision: mean, {@code rstd = 1 / sqrt(variance + eps)},
   * and what the rounding of the mean to float leaves of {@code (x - mean) rstd}: {@code (rounded
   * mean - mean) rstd}. A kernel may leave that as 0 where the mean is few deviations from 0.
   */
  static void statistics(float[] x, int xo, int n, float eps, float[] stats, int so) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += x[xo + i];
    }
    double mean = sum / n;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      squares += (x[xo + i] - mean) * (x[xo + i] - mean);
    }
    double rstd = 1 / Math.sqrt(squares / n + eps);
    stats[so] = (float) mean;
    stats[so + 1] = (float) rstd;
    stats[so + 2] = (float) ((stats[so] - mean) * rstd);
  }

  /** {@code (x - mean) rstd} by the statistics of its row, in double precision. */
  private static double normalized(float x, float[] stats, int so) {
    return ((double) x - stats[so]) * stats[so + 1] + stats[so + 2];
  }

  /**
   * {@code y = (x - mean) rstd gamma + beta} over each of some rows, with the biased variance. Rows
   * of x and of y lie {@code xStride} and {@code yStride} elements apart; y may be x.
   *
   * <p>This and what goes back from it are computed in double precision, for a kernel to do better
   * where float holds all that is in between.
   *
   * @param stats receives the {@link #statistics} of each row, from {@code so} on
   */
  default void layerNorm(
      float[] x,
      int xo,
      int xStride,
      float[] gamma,
      float[] beta,
      float eps,
      float[] y,
      int yo,
      int yStride,
      int rows,
      int n,
      float[] stats,
      int so) {
    for (int row = 0; row < rows; row++) {
      int from = xo + row * xStride;
      int to = yo + row * yStride;
      int s = so + 3 * row;
      statistics(x, from, n, eps, stats, s);
      for (int i = 0; i < n; i++) {
        y[to + i] = (float) (normalized(x[from + i], stats, s) * gamma[i] + beta[i]);
      }
    }
  }

  /**
   * The input gradient of some rows: with xh = (x - mean) rstd and h = gamma gy, {@code gx = rstd
   * (h - mean(h) - xh mean(h xh))}; gx may be gy.
   */
  default void layerNormBackward(
      float[] x,
      int xo,
      int xStride,
      float[] gamma,
      float[] stats,
      int so,
      float[] gy,
      int go,
      int gStride,
      float[] gx,
      int gxo,
      int gxStride,
      int rows,
      int n) {
    for (int row = 0; row < rows; row++) {
      int from = xo + row * xStride;
      int in = go + row * gStride;
      int to = gxo + row * gxStride;
      int s = so + 3 * row;
      double sumH = 0;
      double sumHx = 0;
      for (int i = 0; i < n; i++) {
        double h = (double) gamma[i] * gy[in + i];
        sumH += h;
        sumHx += h * normalized(x[from + i], stats, s);
      }
      for (int i = 0; i < n; i++) {
        double h = (double) gamma[i] * gy[in + i];
        double along = normalized(x[from + i], stats, s) * sumHx / n;
        gx[to + i] = (float) (stats[s + 1] * (h - sumH / n - along));
      }
    }
  }

  /**
   * The parameter gradients of some rows, one after the other: {@code ggamma += gy xh}, {@code
   * gbeta += gy}. Rows of x and of gy lie {@code xStride} and {@code gStride} elements apart.
   */
  default void layerNormParameters(
      float[] x,
      int xo,
      int xStride,
      float[] stats,
      int so,
      float[] gy,
      int go,
      int gStride,
      int rows,
      float[] ggamma,
      float[] gbeta,
      int po,
      int n) {
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < n; i++) {
        float g = gy[go + row * gStride + i];
        ggamma[po + i] += (float) (g * normalized(x[xo + row * xStride + i], stats, so + 3 * row));
        gbeta[po + i] += g;
      }
    }
  }

  /**
   * {@code x = softmax(scale x)} in place, in some rows that lie {@code stride} elements apart. Row
   * i has {@code min(cols, visible + i)} elements; those behind them stay as they are.
   *
   * @param normalizers receives, from {@code no} on, of each row the x of the largest {@code scale
   *     x}, and the logarithm of the sum of {@code exp(scale (x - largest))}
   */
  void softmax(
      float[] x,
      int xo,
      int stride,
      int rows,
      int cols,
      int visible,
      float scale,
      float[] normalizers,
      int no);

  /** {@code x = exp(scale (x - largest) - log)} in place: a softmax whose normalizer is known. */
  void softmaxKnown(float[] x, int xo, float scale, float largest, float log, int n);

  /** {@code gs = scale p (gp - sum(p gp))}: the gradient behind a softmax; gs may be gp. */
  void softmaxBackward(
      float[] p, int po, float[] gp, int go, float scale, float[] gs, int so, int n);

  /**
   * {@code y = x / (1 - rate)} where number {@code first + i} of the stream is at least {@code
   * rate}, otherwise 0; y may be x.
   */
  default void dropout(
      float[] x, int xo, float[] y, int yo, int n, float rate, long key, int first) {
    float kept = 1 / (1 - rate);
    for (int i = 0; i < n; i++) {
      y[yo + i] = CounterRandom.uniform(key, first + i) < rate ? 0 : kept * x[xo + i];
    }
  }

  /**
   * One AdamW step (Loshchilov and Hutter 2019, algorithm 2):
   *
   * <pre>
   *   m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
   *   w = w (1 - lr decay) - lr (m / correction1) / (sqrt(v / correction2) + eps)
   * </pre>
   */
  void adamW(float[] w, float[] g, float[] m, float[] v, int from, int n, AdamStep step);

  /**
   * The moments of one step of StableAdamW, whose decays already hold the correction of their bias:
   *
   * <pre>
   *   m = keep1 m + (1 - keep1) g          v = keep2 v + (1 - keep2) g^2
   * </pre>
   *
   * @param floor more than 0
   * @return the sum of {@code g^2 / max(v, floor)}
   */
  float moments(
      float[] g, float[] m, float[] v, int from, int n, float keep1, float keep2, float floor);

  /** {@code w = w keep - rate m / (sqrt(v) + eps)}. */
  void applyMoments(
      float[] w, float[] m, float[] v, int from, int n, float keep, float rate, float eps);

  /**
   * {@code y = (1 - m) x + m b + scale a}, without x where m is 1 and without a where scale is 0; y
   * may be x, b or a.
   */
  void mix(
      float[] x,
      int xo,
      float[] b,
      int bo,
      float m,
      float[] a,
      int ao,
      float scale,
      float[] y,
      int yo,
      int n);

  /**
   * {@code gx = (1 - m) gy}, {@code gb = m gy}.
   *
   * @return the sum of {@code gy (b - x)}
   */
  float mixBackward(
      float[] gy,
      int go,
      float[] x,
      int xo,
      float[] b,
      int bo,
      float m,
      float[] gx,
      int gxo,
      float[] gb,
      int gbo,
      int n);

  /** The sum of {@code gy (b - x)} in double precision. */
  static double alongTheWay(float[] gy, int go, float[] x, int xo, float[] b, int bo, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += gy[go + i] * ((double) b[bo + i] - x[xo + i]);
    }
    return sum;
  }

  /**
   * Copies x to {@code rest}, but for elements of a magnitude above the bound: zeros take their
   * place there, and they and their columns, counted from {@code xo}, are written from {@code at}
   * on.
   *
   * @return {@code at} plus how many there are
   */
  default int split(
      float[] x,
      int xo,
      float bound,
      float[] rest,
      int ro,
      float[] values,
      int[] columns,
      int at,
      int n) {
    for (int i = 0; i < n; i++) {
      float value = x[xo + i];
      boolean above = Math.abs(value) > bound;
      rest[ro + i] = above ? 0 : value;
      if (above) {
        values[at] = value;
        columns[at++] = i;
      }
    }
    return at;
  }

  /**
   * {@code y += sum over k of values[k] w[columns[k]]} for k from {@code begin} to {@code end - 1},
   * one fused multiply-add after the other.
   *
   * @param w row i begins at {@code wo + i stride}
   * @param n elements of y and of a row of w
   */
  default void addRowProducts(
      float[] values,
      int[] columns,
      int begin,
      int end,
      float[] w,
      int wo,
      int stride,
      float[] y,
      int yo,
      int n) {
    for (int k = begin; k < end; k++) {
      int row = wo + columns[k] * stride;
      for (int j = 0; j < n; j++) {
        y[yo + j] = Math.fma(w[row + j], values[k], y[yo + j]);
      }
    }
  }

  /**
   * The sum of the squares, in double precision; a kernel may add up in float where nothing is lost
   * to overflow or underflow.
   */
  default double sumOfSquares(float[] x, int from, int n) {
    double sum = 0;
    for (int i = from; i < from + n; i++) {
      sum += (double) x[i] * x[i];
    }
    return sum;
  }

  /** {@code x = factor x}. */
  void scale(float[] x, int from, int n, float factor);

  /**
   * The constants of one AdamW step.
   *
   * @param lr learning rate
   * @param beta1 decay of the first moment
   * @param beta2 decay of the second moment
   * @param eps added to the root of the second moment
   * @param decay decoupled weight decay
   * @param correction1 1 - beta1^t
   * @param correction2 1 - beta2^t
   */
  record AdamStep(
      float lr,
      float beta1,
      float beta2,
      float eps,
      float decay,
      float correction1,
      float correction2) {}
}
