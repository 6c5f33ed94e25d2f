package dev.switchyard.kernels.backend.vector;

import static dev.switchyard.kernels.backend.vector.Species.FLOAT;
import static dev.switchyard.kernels.backend.vector.Species.LANES;
import static dev.switchyard.kernels.backend.vector.Species.ROUND;

import dev.switchyard.kernels.backend.ElementwiseKernel;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * The element-wise formulas a vector at a time. What is left of a run at its end is computed one by
 * one, or in a vector that zeros fill up: masked loads and stores keep a core from running ahead,
 * and where data is in no cache a loop of them takes twice as long. Softmax, whose scores are in a
 * cache, masks all the same.
 *
 * <p>{@code exp} is computed here rather than by {@code VectorOperators.EXP}, whose result depends
 * on which native library the JDK finds: {@code 2^n p(r)}, n the nearest integer to x / ln 2, r the
 * rest, p the polynomial of degree 6 of the exponential series on |r| <= 0.35; relative error below
 * 3e-7.
 */
final class VectorElementwise implements ElementwiseKernel {
  private static final float LOG2_E = 1.442695f;

  /** Its n is -127, whose power of 2 is 0: an exponent field of 0, and no mantissa. */
  private static final float NOTHING = -88;

  private static final float LN2_HIGH = 0.6933594f;
  private static final float LN2_LOW = -0.00021219444f;
  private static final float SQRT_HALF = 0.70710677f;
  private static final float INV_SQRT_2PI = 0.3989423f;

  /**
   * The variance to the mean as float sums find them can be trusted if the mean is at most so many
   * standard deviations: beyond, the rounding of the mean shows in normalized values.
   */
  private static final float FAR_FROM_ZERO = 16;

  /**
   * With a larger one, no distance from the mean is beyond float in rows of up to 2^31 elements.
   */
  private static final float LEAST_RSTD = 1e-33f;

  /** A mean of squares from here on has lost nothing that matters to underflow. */
  private static final float LEAST_SQUARE = 1e-30f;

  /** Beyond it the normal density is below the smallest normal float. */
  private static final float DENSITY_RANGE = 14;

  /**
   * Where several passes go over rows: so many rows are passed over before the next pass, which
   * then need not wait for the sums of its own row, and finds them in L1.
   */
  private static final int ROWS_A_PASS = 8;

  private static final int EXPONENT_BIAS = 127;
  private static final int MANTISSA_BITS = 23;

  // Abramowitz and Stegun 7.1.26: erfc(z) = t (A1 + t (A2 + ...)) exp(-z^2), t = 1 / (1 + P z),
  // z >= 0; absolute error 1.5e-7.
  private static final float P = 0.3275911f;
  private static final float A1 = 0.2548296f;
  private static final float A2 = -0.28449672f;
  private static final float A3 = 1.4214138f;
  private static final float A4 = -1.4531521f;
  private static final float A5 = 1.0614054f;

  private static final VectorShuffle<Float> HALF = rotation(LANES / 2);
  private static final VectorShuffle<Float> QUARTER = rotation(LANES / 4);
  private static final VectorShuffle<Float> EIGHTH = rotation(LANES / 8);
  private static final VectorShuffle<Float> SIXTEENTH = rotation(LANES / 16);

  private static VectorShuffle<Float> rotation(int lanes) {
    return FLOAT.iotaShuffle(lanes, 1, true);
  }

  /**
   * The sum of the lanes. {@code reduceLanes} adds in an order that changes once it is compiled.
   */
  private static float sum(FloatVector v) {
    v = v.add(v.rearrange(HALF));
    if (LANES >= 4) {
      v = v.add(v.rearrange(QUARTER));
    }
    if (LANES >= 8) {
      v = v.add(v.rearrange(EIGHTH));
    }
    if (LANES >= 16) {
      v = v.add(v.rearrange(SIXTEENTH));
    }
    return v.lane(0);
  }

  private static VectorMask<Float> mask(int i, int n) {
    return FLOAT.indexInRange(i, n);
  }

  /**
   * exp(x), 0 where it is below the smallest normal float; infinity never: callers keep x under 88.
   */
  static FloatVector exp(FloatVector x) {
    FloatVector bounded = x.max(NOTHING);
    FloatVector n = bounded.mul(LOG2_E).add(ROUND).sub(ROUND);
    FloatVector r = n.neg().fma(FloatVector.broadcast(FLOAT, LN2_HIGH), bounded);
    r = n.neg().fma(FloatVector.broadcast(FLOAT, LN2_LOW), r);
    FloatVector p = FloatVector.broadcast(FLOAT, 1 / 720f);
    p = p.fma(r, FloatVector.broadcast(FLOAT, 1 / 120f));
    p = p.fma(r, FloatVector.broadcast(FLOAT, 1 / 24f));
    p = p.fma(r, FloatVector.broadcast(FLOAT, 1 / 6f));
    p = p.fma(r, FloatVector.broadcast(FLOAT, 0.5f));
    p = p.fma(r, FloatVector.broadcast(FLOAT, 1));
    p = p.fma(r, FloatVector.broadcast(FLOAT, 1));
    // 2^n: n + ROUND holds n in its low mantissa bits; move n + 127 into the exponent.
    FloatVector power =
        n.add(ROUND + EXPONENT_BIAS)
            .reinterpretAsInts()
            .lanewise(VectorOperators.LSHL, MANTISSA_BITS)
            .reinterpretAsFloats();
    return p.mul(power);
  }

  /** erfc(|x| / sqrt 2) / 2, the upper tail of the normal distribution, from e = exp(-x^2 / 2). */
  private static FloatVector upperTail(FloatVector x, FloatVector e) {
    FloatVector z = x.abs().mul(SQRT_HALF);
    FloatVector one = FloatVector.broadcast(FLOAT, 1);
    FloatVector t = one.div(z.fma(FloatVector.broadcast(FLOAT, P), one));
    FloatVector p = FloatVector.broadcast(FLOAT, A5);
    p = p.fma(t, FloatVector.broadcast(FLOAT, A4));
    p = p.fma(t, FloatVector.broadcast(FLOAT, A3));
    p = p.fma(t, FloatVector.broadcast(FLOAT, A2));
    p = p.fma(t, FloatVector.broadcast(FLOAT, A1));
    return p.mul(t).mul(e).mul(0.5f);
  }

  /** Phi(x) from e = exp(-x^2 / 2). */
  private static FloatVector normalCdf(FloatVector x, FloatVector e) {
    FloatVector tail = upperTail(x, e);
    FloatVector one = FloatVector.broadcast(FLOAT, 1);
    return tail.blend(one.sub(tail), x.compare(VectorOperators.GE, 0));
  }

  @Override
  public void add(float[] x, int xo, float[] y, int yo, float[] out, int oo, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromArray(FLOAT, x, xo + i)
          .add(FloatVector.fromArray(FLOAT, y, yo + i))
          .intoArray(out, oo + i);
    }
    for (; i < n; i++) {
      out[oo + i] = x[xo + i] + y[yo + i];
    }
  }

  /** Four rows at a time: with one, loading and storing the sums takes twice as long as adding. */
  @Override
  public void addRows(float[] x, int xo, int stride, int rows, float[] sums, int so, int n) {
    int row = 0;
    for (; row <= rows - 4; row += 4) {
      int r0 = xo + row * stride;
      int r1 = r0 + stride;
      int r2 = r1 + stride;
      int r3 = r2 + stride;
      int i = 0;
      for (; i <= n - LANES; i += LANES) {
        FloatVector.fromArray(FLOAT, sums, so + i)
            .add(FloatVector.fromArray(FLOAT, x, r0 + i))
            .add(FloatVector.fromArray(FLOAT, x, r1 + i))
            .add(FloatVector.fromArray(FLOAT, x, r2 + i))
            .add(FloatVector.fromArray(FLOAT, x, r3 + i))
            .intoArray(sums, so + i);
      }
      for (; i < n; i++) {
        sums[so + i] = sums[so + i] + x[r0 + i] + x[r1 + i] + x[r2 + i] + x[r3 + i];
      }
    }
    ElementwiseKernel.super.addRows(x, xo + row * stride, stride, rows - row, sums, so, n);
  }

  @Override
  public void multiply(float[] x, int xo, float[] y, int yo, float[] out, int oo, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromArray(FLOAT, x, xo + i)
          .mul(FloatVector.fromArray(FLOAT, y, yo + i))
          .intoArray(out, oo + i);
    }
    for (; i < n; i++) {
      out[oo + i] = x[xo + i] * y[yo + i];
    }
  }

  @Override
  public void addProducts(float[] x, int xo, float[] y, int yo, float[] sums, int so, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector product =
          FloatVector.fromArray(FLOAT, x, xo + i).mul(FloatVector.fromArray(FLOAT, y, yo + i));
      FloatVector.fromArray(FLOAT, sums, so + i).add(product).intoArray(sums, so + i);
    }
    for (; i < n; i++) {
      sums[so + i] += x[xo + i] * y[yo + i];
    }
  }

  @Override
  public void gelu(float[] x, int xo, float[] y, int yo, int n) {
    int whole = n & -LANES;
    geluOfVectors(x, xo, y, yo, whole);
    if (whole < n) {
      float[] rest = rest(x, xo + whole, n - whole);
      geluOfVectors(rest, 0, rest, 0, LANES);
      System.arraycopy(rest, 0, y, yo + whole, n - whole);
    }
  }

  private static void geluOfVectors(float[] x, int xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i += LANES) {
      gelu(FloatVector.fromArray(FLOAT, x, xo + i)).intoArray(y, yo + i);
    }
  }

  private static FloatVector gelu(FloatVector x) {
    FloatVector e = exp(x.mul(x).mul(-0.5f));
    return x.mul(normalCdf(x, e));
  }

  @Override
  public void geluBackward(float[] x, int xo, float[] gy, int go, float[] gx, int gxo, int n) {
    int whole = n & -LANES;
    geluBackwardOfVectors(x, xo, gy, go, gx, gxo, whole);
    if (whole < n) {
      float[] rest = rest(x, xo + whole, n - whole);
      geluBackwardOfVectors(rest, 0, rest(gy, go + whole, n - whole), 0, rest, 0, LANES);
      System.arraycopy(rest, 0, gx, gxo + whole, n - whole);
    }
  }

  private static void geluBackwardOfVectors(
      float[] x, int xo, float[] gy, int go, float[] gx, int gxo, int n) {
    for (int i = 0; i < n; i += LANES) {
      FloatVector.fromArray(FLOAT, gy, go + i)
          .mul(geluSlope(FloatVector.fromArray(FLOAT, x, xo + i)))
          .intoArray(gx, gxo + i);
    }
  }

  private static FloatVector geluSlope(FloatVector x) {
    FloatVector e = exp(x.mul(x).mul(-0.5f));
    // e is not 0 even for the largest x: bound the factor, or x e would not vanish.
    FloatVector bounded = x.max(-DENSITY_RANGE).min(DENSITY_RANGE);
    return bounded.mul(e).fma(FloatVector.broadcast(FLOAT, INV_SQRT_2PI), normalCdf(x, e));
  }

  @Override
  public void layerNorm(
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
    for (int first = 0; first < rows; first += ROWS_A_PASS) {
      int end = Math.min(rows, first + ROWS_A_PASS);
      for (int i = first; i < end; i++) {
        stats[so + 3 * i] = sum(x, xo + i * xStride, n) / n;
      }
      for (int i = first; i < end; i++) {
        float mean = stats[so + 3 * i];
        float variance = sumOfSquares(x, xo + i * xStride, mean, n) / n + eps;
        float rstd = (float) (1 / Math.sqrt(variance));
        if (variance > LEAST_SQUARE
            && variance <= Float.MAX_VALUE
            && Math.abs(mean) * rstd <= FAR_FROM_ZERO) {
          stats[so + 3 * i + 1] = rstd;
          stats[so + 3 * i + 2] = 0;
        } else {
          ElementwiseKernel.statistics(x, xo + i * xStride, n, eps, stats, so + 3 * i);
        }
      }
      for (int i = first; i < end; i++) {
        int from = xo + i * xStride;
        int to = yo + i * yStride;
        int s = so + 3 * i;
        if (stats[s + 1] < LEAST_RSTD) {
          ElementwiseKernel.super.layerNorm(x, from, n, gamma, beta, eps, y, to, n, 1, n, stats, s);
        } else {
          normalize(x, from, stats, s, gamma, beta, y, to, n);
        }
      }
    }
  }

  private static float sum(float[] x, int xo, int n) {
    FloatVector sums = FloatVector.zero(FLOAT);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      sums = sums.add(FloatVector.fromArray(FLOAT, x, xo + i));
    }
    float sum = sum(sums);
    for (; i < n; i++) {
      sum += x[xo + i];
    }
    return sum;
  }

  /** Of the distances from the mean. */
  private static float sumOfSquares(float[] x, int xo, float mean, int n) {
    FloatVector squares = FloatVector.zero(FLOAT);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector d = FloatVector.fromArray(FLOAT, x, xo + i).sub(mean);
      squares = d.fma(d, squares);
    }
    float sum = sum(squares);
    for (; i < n; i++) {
      float d = x[xo + i] - mean;
      sum = Math.fma(d, d, sum);
    }
    return sum;
  }

  private static void normalize(
      float[] x,
      int xo,
      float[] stats,
      int so,
      float[] gamma,
      float[] beta,
      float[] y,
      int yo,
      int n) {
    FloatVector mean = FloatVector.broadcast(FLOAT, stats[so]);
    FloatVector rstd = FloatVector.broadcast(FLOAT, stats[so + 1]);
    FloatVector shift = FloatVector.broadcast(FLOAT, stats[so + 2]);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromArray(FLOAT, x, xo + i)
          .sub(mean)
          .fma(rstd, shift)
          .fma(FloatVector.fromArray(FLOAT, gamma, i), FloatVector.fromArray(FLOAT, beta, i))
          .intoArray(y, yo + i);
    }
    for (; i < n; i++) {
      y[yo + i] = Math.fma(normalized(x[xo + i], stats, so), gamma[i], beta[i]);
    }
  }

  @Override
  public void layerNormBackward(
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
    float[] means = new float[2 * Math.min(rows, ROWS_A_PASS)];
    for (int first = 0; first < rows; first += ROWS_A_PASS) {
      int count = Math.min(ROWS_A_PASS, rows - first);
      for (int i = 0; i < count; i++) {
        int row = first + i;
        int in = go + row * gStride;
        layerNormMeans(x, xo + row * xStride, gamma, stats, so + 3 * row, gy, in, n, means, 2 * i);
      }
      for (int i = 0; i < count; i++) {
        int from = xo + (first + i) * xStride;
        int s = so + 3 * (first + i);
        int in = go + (first + i) * gStride;
        int to = gxo + (first + i) * gxStride;
        float h = means[2 * i];
        if (Float.isNaN(h)) {
          ElementwiseKernel.super.layerNormBackward(
              x, from, n, gamma, stats, s, gy, in, n, gx, to, n, 1, n);
        } else {
          layerNormBackward(x, from, gamma, stats, s, gy, in, h, means[2 * i + 1], gx, to, n);
        }
      }
    }
  }

  /** Of h and of h xh; NaN where double precision is needed to go on. */
  private static void layerNormMeans(
      float[] x,
      int xo,
      float[] gamma,
      float[] stats,
      int so,
      float[] gy,
      int go,
      int n,
      float[] means,
      int mo) {
    FloatVector mean = FloatVector.broadcast(FLOAT, stats[so]);
    FloatVector rstd = FloatVector.broadcast(FLOAT, stats[so + 1]);
    FloatVector shift = FloatVector.broadcast(FLOAT, stats[so + 2]);
    FloatVector sumsH = FloatVector.zero(FLOAT);
    FloatVector sumsHx = FloatVector.zero(FLOAT);
    FloatVector squares = FloatVector.zero(FLOAT); // is infinite long before a sum could be
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector h =
          FloatVector.fromArray(FLOAT, gamma, i).mul(FloatVector.fromArray(FLOAT, gy, go + i));
      sumsH = sumsH.add(h);
      squares = h.fma(h, squares);
      FloatVector normalized = FloatVector.fromArray(FLOAT, x, xo + i).sub(mean).fma(rstd, shift);
      sumsHx = h.fma(normalized, sumsHx);
    }
    float sumH = sum(sumsH);
    float sumHx = sum(sumsHx);
    float square = sum(squares);
    for (; i < n; i++) {
      float h = gamma[i] * gy[go + i];
      sumH += h;
      square = Math.fma(h, h, square);
      sumHx = Math.fma(h, normalized(x[xo + i], stats, so), sumHx);
    }
    means[mo] = square <= Float.MAX_VALUE && stats[so + 1] >= LEAST_RSTD ? sumH / n : Float.NaN;
    means[mo + 1] = sumHx / n;
  }

  private static void layerNormBackward(
      float[] x,
      int xo,
      float[] gamma,
      float[] stats,
      int so,
      float[] gy,
      int go,
      float meanH,
      float meanHx,
      float[] gx,
      int gxo,
      int n) {
    FloatVector mean = FloatVector.broadcast(FLOAT, stats[so]);
    FloatVector rstd = FloatVector.broadcast(FLOAT, stats[so + 1]);
    FloatVector shift = FloatVector.broadcast(FLOAT, stats[so + 2]);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector normalized = FloatVector.fromArray(FLOAT, x, xo + i).sub(mean).fma(rstd, shift);
      FloatVector h =
          FloatVector.fromArray(FLOAT, gamma, i).mul(FloatVector.fromArray(FLOAT, gy, go + i));
      h.sub(meanH).sub(normalized.mul(meanHx)).mul(rstd).intoArray(gx, gxo + i);
    }
    for (; i < n; i++) {
      float h = gamma[i] * gy[go + i];
      gx[gxo + i] = (h - meanH - normalized(x[xo + i], stats, so) * meanHx) * stats[so + 1];
    }
  }

  /** Four rows at a time without masks: sums that were stored under one are slow to load again. */
  @Override
  public void layerNormParameters(
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
    for (int row = 0; row < rows; row += 4) {
      int s = so + 3 * row;
      int count = Math.min(4, rows - row);
      int vectors = count == 4 && isWithinFloat(stats, s) ? n & -LANES : 0;
      for (int i = row; vectors < n && i < row + count; i++) {
        layerNormParameters(
            x,
            xo + i * xStride,
            stats,
            so + 3 * i,
            gy,
            go + i * gStride,
            ggamma,
            gbeta,
            po,
            vectors,
            n);
      }
      if (vectors == 0) {
        continue;
      }
      int x0 = xo + row * xStride;
      int x1 = x0 + xStride;
      int x2 = x1 + xStride;
      int x3 = x2 + xStride;
      int g0 = go + row * gStride;
      int g1 = g0 + gStride;
      int g2 = g1 + gStride;
      int g3 = g2 + gStride;
      FloatVector shift0 = FloatVector.broadcast(FLOAT, stats[s + 2]);
      FloatVector shift1 = FloatVector.broadcast(FLOAT, stats[s + 5]);
      FloatVector shift2 = FloatVector.broadcast(FLOAT, stats[s + 8]);
      FloatVector shift3 = FloatVector.broadcast(FLOAT, stats[s + 11]);
      for (int i = 0; i < vectors; i += LANES) {
        FloatVector gy0 = FloatVector.fromArray(FLOAT, gy, g0 + i);
        FloatVector gy1 = FloatVector.fromArray(FLOAT, gy, g1 + i);
        FloatVector gy2 = FloatVector.fromArray(FLOAT, gy, g2 + i);
        FloatVector gy3 = FloatVector.fromArray(FLOAT, gy, g3 + i);
        FloatVector sums = FloatVector.fromArray(FLOAT, ggamma, po + i);
        sums = normalized(x, x0 + i, stats, s, shift0).fma(gy0, sums);
        sums = normalized(x, x1 + i, stats, s + 3, shift1).fma(gy1, sums);
        sums = normalized(x, x2 + i, stats, s + 6, shift2).fma(gy2, sums);
        normalized(x, x3 + i, stats, s + 9, shift3).fma(gy3, sums).intoArray(ggamma, po + i);
        FloatVector.fromArray(FLOAT, gbeta, po + i)
            .add(gy0)
            .add(gy1)
            .add(gy2)
            .add(gy3)
            .intoArray(gbeta, po + i);
      }
    }
  }

  /** Whether it is the distances from the mean in four rows. */
  private static boolean isWithinFloat(float[] stats, int so) {
    return stats[so + 1] >= LEAST_RSTD
        && stats[so + 4] >= LEAST_RSTD
        && stats[so + 7] >= LEAST_RSTD
        && stats[so + 10] >= LEAST_RSTD;
  }

  /** The elements from {@code begin} to {@code end - 1} of a row. */
  private static void layerNormParameters(
      float[] x,
      int xo,
      float[] stats,
      int so,
      float[] gy,
      int go,
      float[] ggamma,
      float[] gbeta,
      int po,
      int begin,
      int end) {
    for (int i = begin; i < end; i++) {
      float g = gy[go + i];
      ggamma[po + i] = Math.fma(normalized(x[xo + i], stats, so), g, ggamma[po + i]);
      gbeta[po + i] += g;
    }
  }

  private static FloatVector normalized(
      float[] x, int xo, float[] stats, int so, FloatVector shift) {
    FloatVector rstd = FloatVector.broadcast(FLOAT, stats[so + 1]);
    return FloatVector.fromArray(FLOAT, x, xo).sub(stats[so]).fma(rstd, shift);
  }

  /** From half the distance of the mean, which cannot overflow. */
  private static float normalized(float x, float[] stats, int so) {
    return Math.fma(0.5f * x - 0.5f * stats[so], 2 * stats[so + 1], stats[so + 2]);
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
    float[] sums = new float[Math.min(rows, ROWS_A_PASS)];
    for (int first = 0; first < rows; first += ROWS_A_PASS) {
      int count = Math.min(ROWS_A_PASS, rows - first);
      int from = xo + first * stride;
      int to = no + 2 * first;
      int n = visible + first; // of the first row
      for (int i = 0; i < count; i++) {
        normalizers[to + 2 * i] = largest(x, from + i * stride, scale, Math.min(cols, n + i));
      }
      for (int i = 0; i < count; i++) {
        float largest = normalizers[to + 2 * i];
        sums[i] = exp(x, from + i * stride, scale, largest, Math.min(cols, n + i));
      }
      for (int i = 0; i < count; i++) {
        multiply(x, from + i * stride, 1 / sums[i], Math.min(cols, n + i));
        normalizers[to + 2 * i + 1] = (float) Math.log(sums[i]);
      }
    }
  }

  /** The x of the largest {@code scale x}. */
  private static float largest(float[] x, int xo, float scale, int n) {
    float sign = scale < 0 ? -1 : 1;
    FloatVector maxima = FloatVector.broadcast(FLOAT, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < n; i += LANES) {
      VectorMask<Float> m = mask(i, n);
      FloatVector v = FloatVector.fromArray(FLOAT, x, xo + i, m).mul(sign);
      maxima = maxima.lanewise(VectorOperators.MAX, v, m);
    }
    return sign * maxima.reduceLanes(VectorOperators.MAX);
  }

  /**
   * What to take of a difference before it is multiplied by {@link #factor}: one half, which cannot
   * overflow, or all of it where the factor would.
   */
  private static float part(float scale) {
    return Math.abs(scale) < 1e30f ? 0.5f : 1;
  }

  /** {@code scale / part(scale)}, without the time of a division a row. */
  private static float factor(float scale) {
    return Math.abs(scale) < 1e30f ? 2 * scale : scale;
  }

  /** {@code x = exp(scale (x - largest))} in place; the sum. */
  private static float exp(float[] x, int xo, float scale, float largest, int n) {
    FloatVector sums = FloatVector.zero(FLOAT);
    float part = part(scale);
    FloatVector half = FloatVector.broadcast(FLOAT, part);
    FloatVector shift = FloatVector.broadcast(FLOAT, -part * largest);
    for (int i = 0; i < n; i += LANES) {
      VectorMask<Float> m = mask(i, n);
      FloatVector below = FloatVector.fromArray(FLOAT, x, xo + i, m).fma(half, shift);
      FloatVector e = exp(below.mul(factor(scale)));
      e.intoArray(x, xo + i, m);
      sums = sums.add(e, m);
    }
    return sum(sums);
  }

  /** Plain, as C2 makes vectors of it. */
  private static void multiply(float[] x, int xo, float factor, int n) {
    for (int i = xo; i < xo + n; i++) {
      x[i] *= factor;
    }
  }

  @Override
  public void softmaxKnown(float[] x, int xo, float scale, float largest, float log, int n) {
    float part = part(scale);
    FloatVector half = FloatVector.broadcast(FLOAT, part);
    FloatVector shift = FloatVector.broadcast(FLOAT, -part * largest);
    for (int i = 0; i < n; i += LANES) {
      VectorMask<Float> m = mask(i, n);
      FloatVector below = FloatVector.fromArray(FLOAT, x, xo + i, m).fma(half, shift);
      exp(below.mul(factor(scale)).sub(log)).intoArray(x, xo + i, m);
    }
  }

  @Override
  public void softmaxBackward(
      float[] p, int po, float[] gp, int go, float scale, float[] gs, int so, int n) {
    float part = part(scale);
    FloatVector dots = FloatVector.zero(FLOAT);
    for (int i = 0; i < n; i += LANES) {
      VectorMask<Float> m = mask(i, n);
      dots =
          FloatVector.fromArray(FLOAT, p, po + i, m)
              .fma(FloatVector.fromArray(FLOAT, gp, go + i, m), dots);
    }
    // A mean of floats is one, but may be rounded to infinity.
    float dot = Math.clamp(sum(dots), -Float.MAX_VALUE, Float.MAX_VALUE);
    FloatVector half = FloatVector.broadcast(FLOAT, part);
    FloatVector shift = FloatVector.broadcast(FLOAT, -part * dot);
    for (int i = 0; i < n; i += LANES) {
      VectorMask<Float> m = mask(i, n);
      FloatVector g = FloatVector.fromArray(FLOAT, gp, go + i, m).fma(half, shift);
      FloatVector.fromArray(FLOAT, p, po + i, m).mul(factor(scale)).mul(g).intoArray(gs, so + i, m);
    }
  }

  @Override
  public void dropout(
      float[] x, int xo, float[] y, int yo, int n, float rate, long key, int first) {
    float kept = 1 / (1 - rate);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      VectorMask<Float> stays =
          VectorRandom.uniform(key, first + i).compare(VectorOperators.GE, rate);
      FloatVector.zero(FLOAT)
          .blend(FloatVector.fromArray(FLOAT, x, xo + i).mul(kept), stays)
          .intoArray(y, yo + i);
    }
    ElementwiseKernel.super.dropout(x, xo + i, y, yo + i, n - i, rate, key, first + i);
  }

  @Override
  public void adamW(float[] w, float[] g, float[] m, float[] v, int from, int n, AdamStep s) {
    float keep = 1 - s.lr() * s.decay();
    float rate = s.lr() / s.correction1();
    // The root of a product beyond float: 4^-k of it, then 2^k times its root.
    int k = (Math.getExponent(1 / s.correction2()) + 2) / 2;
    float inverse2 = Math.scalb(1 / s.correction2(), -2 * k);
    float power = Math.scalb(1f, k);
    int end = from + n;
    int i = from;
    for (; i <= end - LANES; i += LANES) {
      FloatVector grad = FloatVector.fromArray(FLOAT, g, i);
      FloatVector first =
          FloatVector.fromArray(FLOAT, m, i).mul(s.beta1()).add(grad.mul(1 - s.beta1()));
      FloatVector second =
          FloatVector.fromArray(FLOAT, v, i).mul(s.beta2()).add(grad.mul(1 - s.beta2()).mul(grad));
      first.intoArray(m, i);
      second.intoArray(v, i);
      FloatVector root = second.mul(inverse2).sqrt().mul(power);
      FloatVector update = first.mul(rate).div(root.add(s.eps()));
      FloatVector.fromArray(FLOAT, w, i).mul(keep).sub(update).intoArray(w, i);
    }
    for (; i < end; i++) {
      m[i] = m[i] * s.beta1() + g[i] * (1 - s.beta1());
      v[i] = v[i] * s.beta2() + g[i] * (1 - s.beta2()) * g[i];
      float update = m[i] * rate / ((float) Math.sqrt(v[i] * inverse2) * power + s.eps());
      w[i] = w[i] * keep - update;
    }
  }

  @Override
  public float moments(
      float[] g, float[] m, float[] v, int from, int n, float keep1, float keep2, float floor) {
    int whole = n & -LANES;
    float[] sums = new float[LANES];
    momentsOfVectors(g, m, v, from, whole, keep1, keep2, floor, sums);
    if (whole < n) { // zeros add nothing
      float[] restG = rest(g, from + whole, n - whole);
      float[] restM = rest(m, from + whole, n - whole);
      float[] restV = rest(v, from + whole, n - whole);
      momentsOfVectors(restG, restM, restV, 0, LANES, keep1, keep2, floor, sums);
      System.arraycopy(restM, 0, m, from + whole, n - whole);
      System.arraycopy(restV, 0, v, from + whole, n - whole);
    }
    return sum(FloatVector.fromArray(FLOAT, sums, 0));
  }

  private static void momentsOfVectors(
      float[] g,
      float[] m,
      float[] v,
      int from,
      int n,
      float keep1,
      float keep2,
      float floor,
      float[] sums) {
    FloatVector sum = FloatVector.fromArray(FLOAT, sums, 0);
    for (int i = from; i < from + n; i += LANES) {
      FloatVector grad = FloatVector.fromArray(FLOAT, g, i);
      FloatVector first = FloatVector.fromArray(FLOAT, m, i).mul(keep1).add(grad.mul(1 - keep1));
      FloatVector second =
          FloatVector.fromArray(FLOAT, v, i).mul(keep2).add(grad.mul(1 - keep2).mul(grad));
      first.intoArray(m, i);
      second.intoArray(v, i);
      sum = sum.add(grad.div(second.max(floor)).mul(grad));
    }
    sum.intoArray(sums, 0);
  }

  /** A vector of what is left of an array that holds no whole vector more, then zeros. */
  static float[] rest(float[] x, int from, int n) {
    float[] rest = new float[LANES];
    System.arraycopy(x, from, rest, 0, n);
    return rest;
  }

  @Override
  public void applyMoments(
      float[] w, float[] m, float[] v, int from, int n, float keep, float rate, float eps) {
    int end = from + n;
    int i = from;
    for (; i <= end - LANES; i += LANES) {
      FloatVector root = FloatVector.fromArray(FLOAT, v, i).sqrt().add(eps);
      FloatVector update = FloatVector.fromArray(FLOAT, m, i).div(root).mul(rate);
      FloatVector.fromArray(FLOAT, w, i).mul(keep).sub(update).intoArray(w, i);
    }
    for (; i < end; i++) {
      w[i] = w[i] * keep - m[i] / ((float) Math.sqrt(v[i]) + eps) * rate;
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
    FloatVector ofA = FloatVector.broadcast(FLOAT, scale);
    FloatVector ofB = FloatVector.broadcast(FLOAT, m);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector mixed = FloatVector.fromArray(FLOAT, b, bo + i);
      if (m != 1) {
        mixed = mixed.fma(ofB, FloatVector.fromArray(FLOAT, x, xo + i).mul(1 - m));
      }
      if (scale != 0) {
        mixed = FloatVector.fromArray(FLOAT, a, ao + i).fma(ofA, mixed);
      }
      mixed.intoArray(y, yo + i);
    }
    for (; i < n; i++) {
      float mixed = m == 1 ? b[bo + i] : Math.fma(b[bo + i], m, x[xo + i] * (1 - m));
      y[yo + i] = scale == 0 ? mixed : Math.fma(a[ao + i], scale, mixed);
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
    FloatVector sums = FloatVector.zero(FLOAT);
    for (int i = 0; i < n; i += LANES) {
      VectorMask<Float> in = mask(i, n);
      FloatVector g = FloatVector.fromArray(FLOAT, gy, go + i, in);
      FloatVector way =
          FloatVector.fromArray(FLOAT, b, bo + i, in)
              .sub(FloatVector.fromArray(FLOAT, x, xo + i, in));
      sums = g.fma(way, sums);
      g.mul(1 - m).intoArray(gx, gxo + i, in);
      g.mul(m).intoArray(gb, gbo + i, in);
    }
    float sum = sum(sums);
    return Math.abs(sum) <= Float.MAX_VALUE
        ? sum
        : (float) ElementwiseKernel.alongTheWay(gy, go, x, xo, b, bo, n);
  }

  @Override
  public int split(
      float[] x,
      int xo,
      float bound,
      float[] rest,
      int ro,
      float[] values,
      int[] columns,
      int at,
      int n) {
    for (int i = 0; i < n; i += LANES) {
      VectorMask<Float> mask = mask(i, n);
      FloatVector v = FloatVector.fromArray(FLOAT, x, xo + i, mask);
      VectorMask<Float> above = v.abs().compare(VectorOperators.GT, bound);
      for (long bits = above.toLong(); bits != 0; bits &= bits - 1) {
        int column = i + Long.numberOfTrailingZeros(bits);
        values[at] = x[xo + column];
        columns[at++] = column;
      }
      v.blend(0, above).intoArray(rest, ro + i, mask); // last, as rest may be x
    }
    return at;
  }

  @Override
  public void addRowProducts(
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
    int j = 0;
    // Four vectors of sums at a time, so that sums do not wait for each other.
    for (; j <= n - 4 * LANES; j += 4 * LANES) {
      FloatVector y0 = FloatVector.fromArray(FLOAT, y, yo + j);
      FloatVector y1 = FloatVector.fromArray(FLOAT, y, yo + j + LANES);
      FloatVector y2 = FloatVector.fromArray(FLOAT, y, yo + j + 2 * LANES);
      FloatVector y3 = FloatVector.fromArray(FLOAT, y, yo + j + 3 * LANES);
      for (int k = begin; k < end; k++) {
        FloatVector factor = FloatVector.broadcast(FLOAT, values[k]);
        int from = wo + columns[k] * stride + j;
        y0 = FloatVector.fromArray(FLOAT, w, from).fma(factor, y0);
        y1 = FloatVector.fromArray(FLOAT, w, from + LANES).fma(factor, y1);
        y2 = FloatVector.fromArray(FLOAT, w, from + 2 * LANES).fma(factor, y2);
        y3 = FloatVector.fromArray(FLOAT, w, from + 3 * LANES).fma(factor, y3);
      }
      y0.intoArray(y, yo + j);
      y1.intoArray(y, yo + j + LANES);
      y2.intoArray(y, yo + j + 2 * LANES);
      y3.intoArray(y, yo + j + 3 * LANES);
    }
    ElementwiseKernel.super.addRowProducts(
        values, columns, begin, end, w, wo + j, stride, y, yo + j, n - j);
  }

  @Override
  public double sumOfSquares(float[] x, int from, int n) {
    int whole = n & -LANES;
    float[] sums = new float[LANES];
    sumOfSquaresOfVectors(x, from, whole, sums);
    if (whole < n) {
      sumOfSquaresOfVectors(rest(x, from + whole, n - whole), 0, LANES, sums);
    }
    float sum = sum(FloatVector.fromArray(FLOAT, sums, 0));
    boolean exact = sum > n * LEAST_SQUARE && sum <= Float.MAX_VALUE;
    return exact || (sum == 0 && isZero(x, from, n))
        ? sum
        : ElementwiseKernel.super.sumOfSquares(x, from, n);
  }

  /** As gradients of rows that were not used are: no reason to take the long way. */
  private static boolean isZero(float[] x, int from, int n) {
    for (int i = from; i < from + n; i++) {
      if (x[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private static void sumOfSquaresOfVectors(float[] x, int from, int n, float[] sums) {
    FloatVector sum = FloatVector.fromArray(FLOAT, sums, 0);
    for (int i = from; i < from + n; i += LANES) {
      FloatVector v = FloatVector.fromArray(FLOAT, x, i);
      sum = sum.add(v.mul(v));
    }
    sum.intoArray(sums, 0);
  }

  @Override
  public void scale(float[] x, int from, int n, float factor) {
    multiply(x, from, factor, n);
  }
}
