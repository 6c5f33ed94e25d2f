package dev.switchyard.kernels.backend.reference;

import dev.switchyard.kernels.backend.ElementwiseKernel;

/** The element-wise formulas, each evaluated in double precision and rounded once. */
final class ReferenceElementwise implements ElementwiseKernel {
  @Override
  public void add(float[] x, int xo, float[] y, int yo, float[] out, int oo, int n) {
    for (int i = 0; i < n; i++) {
      out[oo + i] = x[xo + i] + y[yo + i];
    }
  }

  @Override
  public void multiply(float[] x, int xo, float[] y, int yo, float[] out, int oo, int n) {
    for (int i = 0; i < n; i++) {
      out[oo + i] = x[xo + i] * y[yo + i];
    }
  }

  @Override
  public void addProducts(float[] x, int xo, float[] y, int yo, float[] sums, int so, int n) {
    for (int i = 0; i < n; i++) {
      sums[so + i] += x[xo + i] * y[yo + i];
    }
  }

  @Override
  public void gelu(float[] x, int xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      double v = x[xo + i];
      y[yo + i] = (float) (v * normalCdf(v));
    }
  }

  @Override
  public void geluBackward(float[] x, int xo, float[] gy, int go, float[] gx, int gxo, int n) {
    for (int i = 0; i < n; i++) {
      double v = x[xo + i];
      gx[gxo + i] = (float) (gy[go + i] * (normalCdf(v) + v * normalDensity(v)));
    }
  }

  private static double normalDensity(double x) {
    return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  /** The series of Marsaglia (2004): 1/2 + phi(x) (x + x^3/3 + x^5/(3 5) + ...). */
  private static double normalCdf(double x) {
    if (Double.isNaN(x)) {
      return x; // the series would never end
    }
    if (Math.abs(x) > 15) {
      return x > 0 ? 1 : 0; // below 1e-50
    }
    // The series for a negative x subtracts numbers near 1/2: take the upper tail directly instead.
    if (x < -4) {
      return upperTail(-x);
    }
    double sum = x;
    double term = x;
    for (int i = 3; sum + term != sum; i += 2) {
      term *= x * x / i;
      sum += term;
    }
    return 0.5 + normalDensity(x) * sum;
  }

  /** Laplace's continued fraction of 1 - Phi(x), which converges fast for x over 4. */
  private static double upperTail(double x) {
    double fraction = x;
    for (int i = 60; i > 0; i--) {
      fraction = x + i / fraction;
    }
    return normalDensity(x) / fraction;
  }

  @Override
  public void softmax(
      float[] x,
      int xo,
      int stride,
      int rows,
      int cols,
      int visible,
      float scale,
      float[] normalizers,
      int no) {
    for (int row = 0; row < rows; row++) {
      int n = Math.min(cols, visible + row);
      softmax(x, xo + row * stride, scale, n, normalizers, no + 2 * row);
    }
  }

  private static void softmax(float[] x, int xo, float scale, int n, float[] normalizers, int no) {
    double sign = Math.signum(scale) < 0 ? -1 : 1;
    double largest = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      largest = Math.max(largest, sign * x[xo + i]);
    }
    largest *= sign;
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += Math.exp(scale * (x[xo + i] - largest));
    }
    for (int i = 0; i < n; i++) {
      x[xo + i] = (float) (Math.exp(scale * (x[xo + i] - largest)) / sum);
    }
    normalizers[no] = (float) largest;
    normalizers[no + 1] = (float) Math.log(sum);
  }

  @Override
  public void softmaxKnown(float[] x, int xo, float scale, float largest, float log, int n) {
    for (int i = 0; i < n; i++) {
      x[xo + i] = (float) Math.exp(scale * ((double) x[xo + i] - largest) - log);
    }
  }

  @Override
  public void softmaxBackward(
      float[] p, int po, float[] gp, int go, float scale, float[] gs, int so, int n) {
    double dot = 0;
    for (int i = 0; i < n; i++) {
      dot += (double) p[po + i] * gp[go + i];
    }
    for (int i = 0; i < n; i++) {
      gs[so + i] = (float) ((double) scale * p[po + i] * (gp[go + i] - dot));
    }
  }

  @Override
  public void adamW(float[] w, float[] g, float[] m, float[] v, int from, int n, AdamStep s) {
    for (int i = from; i < from + n; i++) {
      m[i] = s.beta1() * m[i] + (1 - s.beta1()) * g[i];
      v[i] = s.beta2() * v[i] + (1 - s.beta2()) * g[i] * g[i];
      double root = Math.sqrt((double) v[i] / s.correction2());
      double update = (double) m[i] / s.correction1() / (root + s.eps());
      w[i] = (float) (w[i] * (1 - s.lr() * s.decay()) - s.lr() * update);
    }
  }

  @Override
  public float moments(
      float[] g, float[] m, float[] v, int from, int n, float keep1, float keep2, float floor) {
    double sum = 0;
    for (int i = from; i < from + n; i++) {
      m[i] = keep1 * m[i] + (1 - keep1) * g[i];
      v[i] = keep2 * v[i] + (1 - keep2) * g[i] * g[i];
      sum += (double) g[i] * g[i] / Math.max(v[i], floor);
    }
    return (float) sum;
  }

  @Override
  public void applyMoments(
      float[] w, float[] m, float[] v, int from, int n, float keep, float rate, float eps) {
    for (int i = from; i < from + n; i++) {
      w[i] = (float) ((double) w[i] * keep - rate * (m[i] / (Math.sqrt(v[i]) + eps)));
    }
  }

  @Override
  public void mix(
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
      int n) {
    for (int i = 0; i < n; i++) {
      double mixed = m == 1 ? b[bo + i] : (1.0 - m) * x[xo + i] + (double) m * b[bo + i];
      y[yo + i] = (float) (scale == 0 ? mixed : mixed + (double) scale * a[ao + i]);
    }
  }

  @Override
  public float mixBackward(
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
      int n) {
    float along = (float) ElementwiseKernel.alongTheWay(gy, go, x, xo, b, bo, n);
    for (int i = 0; i < n; i++) {
      double g = gy[go + i];
      gx[gxo + i] = (float) ((1.0 - m) * g);
      gb[gbo + i] = (float) (m * g);
    }
    return along;
  }

  @Override
  public void scale(float[] x, int from, int n, float factor) {
    for (int i = from; i < from + n; i++) {
      x[i] *= factor;
    }
  }
}
