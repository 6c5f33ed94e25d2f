package dev.switchyard.kernels;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import java.util.stream.IntStream;
import org.apache.commons.math3.special.Erf;

/**
 * The element-wise operations that work on each row for itself, with the exact result in double
 * precision and a bound on the error of one that is computed in float.
 *
 * <p>Notation of the bounds: U is the unit roundoff, the largest relative error of one rounding;
 * {@link #gamma} that of a sum of n terms (Higham 2002, section 3.1).
 */
enum RowOperation {
  ADD(true, true, false, Float.MAX_VALUE) {
    @Override
    void run(Elementwise e, Inputs in, FloatMatrix out) {
      e.add(in.x, in.y, out);
    }

    @Override
    void expect(Inputs in, int row, double[] values, double[] bounds) {
      for (int j = 0; j < values.length; j++) {
        values[j] = (double) in.x.get(row, j) + in.y.get(row, j);
        bounds[j] = U * Math.abs(values[j]);
      }
    }
  },

  /** The bound is the one that the method's Javadoc promises. */
  GELU(true, false, false, Float.MAX_VALUE) {
    @Override
    void run(Elementwise e, Inputs in, FloatMatrix out) {
      e.gelu(in.x, out);
    }

    @Override
    void expect(Inputs in, int row, double[] values, double[] bounds) {
      for (int j = 0; j < values.length; j++) {
        double x = in.x.get(row, j);
        values[j] = x * normalCdf(x);
        bounds[j] = 1e-6;
      }
    }
  },

  /**
   * The slope is Phi, off by 0.75e-7 (Abramowitz and Stegun 7.1.26, half of erfc) and its
   * roundings, plus x phi(x), at most 0.25 and off by 3e-7 of it and by the rounding of x^2 / 2,
   * times x phi(x): at most x^3 phi(x) U, 0.47 U. Together with the roundings of slope and product,
   * under 5e-7 gy.
   */
  GELU_BACKWARD(false, true, false, Float.MAX_VALUE) {
    @Override
    void run(Elementwise e, Inputs in, FloatMatrix out) {
      e.geluBackward(in.x, in.y, out);
    }

    @Override
    void expect(Inputs in, int row, double[] values, double[] bounds) {
      for (int j = 0; j < values.length; j++) {
        double x = in.x.get(row, j);
        double density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
        values[j] = in.y.get(row, j) * (normalCdf(x) + x * density);
        bounds[j] = 5e-7 * Math.abs(in.y.get(row, j));
      }
    }
  },

  /** Which elements are dropped is defined by the generator; the rest are scaled by a float. */
  DROPOUT(true, false, false, 1e38f) {
    @Override
    void run(Elementwise e, Inputs in, FloatMatrix out) {
      e.dropout(in.x, DROPPED, KEY, out);
    }

    @Override
    void expect(Inputs in, int row, double[] values, double[] bounds) {
      for (int j = 0; j < values.length; j++) {
        boolean dropped = CounterRandom.uniform(KEY, row * values.length + j) < DROPPED;
        values[j] = dropped ? 0 : in.x.get(row, j) / (1.0 - DROPPED);
        bounds[j] = 3 * U * Math.abs(values[j]);
      }
    }
  },

  LAYER_NORM(true, false, true, 1e10f) {
    @Override
    void run(Elementwise e, Inputs in, FloatMatrix out) {
      e.layerNorm(in.x, in.gamma, in.beta, EPS, out, in.stats);
    }

    @Override
    void expect(Inputs in, int row, double[] values, double[] bounds) {
      Moments moments = new Moments(in, row);
      for (int j = 0; j < values.length; j++) {
        double centred = in.x.get(row, j) - moments.mean;
        double normalized = centred * moments.rstd;
        values[j] = normalized * in.gamma[j] + in.beta[j];
        double error =
            moments.rstd * (moments.meanError + U * (Math.abs(centred) + moments.meanError))
                + Math.abs(normalized) * (moments.rstdError + 2 * U);
        bounds[j] =
            Math.abs(in.gamma[j]) * (error + U * Math.abs(normalized)) + U * Math.abs(values[j]);
      }
    }
  },

  /** Reads the statistics of its inputs, which are exact as far as it is concerned. */
  LAYER_NORM_BACKWARD(false, true, true, 1e10f) {
    @Override
    void run(Elementwise e, Inputs in, FloatMatrix out) {
      e.layerNormBackward(in.x, in.gamma, in.stats, in.y, out);
    }

    @Override
    void expect(Inputs in, int row, double[] values, double[] bounds) {
      int n = values.length;
      double mean = in.stats[3 * row];
      double rstd = in.stats[3 * row + 1];
      double shift = in.stats[3 * row + 2];
      double[] h = new double[n];
      double[] xh = new double[n];
      double sumH = 0;
      double sumHx = 0;
      double magnitudeH = 0;
      double magnitudeHx = 0;
      double largestXh = 0;
      for (int j = 0; j < n; j++) {
        h[j] = (double) in.gamma[j] * in.y.get(row, j);
        xh[j] = (in.x.get(row, j) - mean) * rstd + shift;
        sumH += h[j];
        sumHx += h[j] * xh[j];
        magnitudeH += Math.abs(h[j]);
        magnitudeHx += Math.abs(h[j] * xh[j]);
        largestXh = Math.max(largestXh, Math.abs(xh[j]));
      }
      // h is rounded once, xh twice, a sum n times and divided.
      double errorH = gamma(n + 2) * magnitudeH / n;
      double errorHx = gamma(n + 5) * magnitudeHx / n;
      for (int j = 0; j < n; j++) {
        double last = xh[j] * sumHx / n;
        values[j] = rstd * (h[j] - sumH / n - last);
        double terms = Math.abs(h[j]) + Math.abs(sumH / n) + Math.abs(last);
        double ofSubnormals = 4 * Float.MIN_VALUE * (1 + Math.abs(xh[j]) * (1 + largestXh));
        bounds[j] = rstd * (errorH + Math.abs(xh[j]) * errorHx + gamma(8) * terms + ofSubnormals);
      }
    }
  },

  SOFTMAX(false, false, true, Float.MAX_VALUE) {
    @Override
    void run(Elementwise e, Inputs in, FloatMatrix out) {
      copy(in.x, out);
      e.softmax(out, in.scale, in.computedNormalizers, 1);
    }

    @Override
    void expect(Inputs in, int row, double[] values, double[] bounds) {
      Exponentials terms = new Exponentials(in, row);
      for (int j = 0; j < values.length; j++) {
        values[j] = terms.values[j] / terms.sum;
        // The error of the term, that of the sum, and the reciprocal, product and result.
        bounds[j] = values[j] * (terms.errors[j] + terms.sumError + 3 * U) + TINY;
      }
    }
  },

  SOFTMAX_FROM_NORMALIZER(false, false, false, Float.MAX_VALUE) {
    @Override
    void run(Elementwise e, Inputs in, FloatMatrix out) {
      copy(in.x, out);
      e.softmaxFromNormalizers(out, in.scale, in.normalizers, 1);
    }

    @Override
    void expect(Inputs in, int row, double[] values, double[] bounds) {
      for (int j = 0; j < values.length; j++) {
        double below = in.scale * ((double) in.x.get(row, j) - in.normalizers[1 + 2 * row]);
        double exponent = below - in.normalizers[2 + 2 * row];
        values[j] = Math.exp(exponent);
        double error = U * (2 * Math.min(100, Math.abs(below)) + Math.min(100, Math.abs(exponent)));
        bounds[j] = values[j] * (Math.expm1(error) + EXP_ERROR) + TINY;
      }
    }
  },

  /** x is the softmax, y the gradient of it. */
  SOFTMAX_BACKWARD(false, true, true, 1e10f) {
    @Override
    void run(Elementwise e, Inputs in, FloatMatrix out) {
      e.softmaxBackward(in.x, in.y, in.scale, out);
    }

    @Override
    void expect(Inputs in, int row, double[] values, double[] bounds) {
      double dot = 0;
      double magnitude = 0;
      for (int j = 0; j < values.length; j++) {
        dot += (double) in.x.get(row, j) * in.y.get(row, j);
        magnitude += Math.abs((double) in.x.get(row, j) * in.y.get(row, j));
      }
      for (int j = 0; j < values.length; j++) {
        double factor = (double) in.scale * in.x.get(row, j);
        values[j] = factor * (in.y.get(row, j) - dot);
        double terms = Math.abs(in.y.get(row, j)) + Math.abs(dot);
        bounds[j] =
            Math.abs(factor) * (gamma(values.length) * magnitude + gamma(4) * terms)
                + Float.MIN_VALUE * (terms + Math.abs(factor) * (values.length + 2));
      }
    }
  };

  static final double U = 0x1p-24;
  static final float EPS = 1e-5f;
  static final float DROPPED = 0.3f;
  static final long KEY = new CounterRandom(21).key(0);

  /** Relative error of a float exponential, as the vector backend documents it. */
  private static final double EXP_ERROR = 3e-7;

  /** Exponentials below e^-87.3 may come out as anything down to 0. */
  private static final double TINY = 2.4e-38;

  /** Whether the result may be written over x, or over y. */
  final boolean overX;

  final boolean overY;

  /** Whether an element depends on others of its row. */
  final boolean mixesRow;

  /** The largest magnitude in x whose squares and sums a float can hold. */
  final float largest;

  RowOperation(boolean overX, boolean overY, boolean mixesRow, float largest) {
    this.largest = largest;
    this.overX = overX;
    this.overY = overY;
    this.mixesRow = mixesRow;
  }

  abstract void run(Elementwise e, Inputs in, FloatMatrix out);

  /** The exact results of a row, and by how much the computed ones may differ. */
  abstract void expect(Inputs in, int row, double[] values, double[] bounds);

  /** What operations read: each takes what it needs. */
  record Inputs(
      FloatMatrix x,
      FloatMatrix y,
      float[] gamma,
      float[] beta,
      float[] stats,
      float scale,
      float[] normalizers,
      float[] computedNormalizers) {

    /** Random vectors to given matrices; statistics and normalizers of x, rounded to float. */
    static Inputs of(FloatMatrix x, FloatMatrix y, float scale) {
      Inputs inputs =
          new Inputs(
              x,
              y,
              vector(x.cols(), 5),
              vector(x.cols(), 6),
              new float[3 * x.rows()],
              scale,
              new float[2 * x.rows() + 1],
              new float[2 * x.rows() + 1]);
      for (int i = 0; i < x.rows(); i++) {
        Moments moments = new Moments(inputs, i);
        inputs.stats[3 * i] = (float) moments.mean;
        inputs.stats[3 * i + 1] = (float) moments.rstd;
        inputs.stats[3 * i + 2] =
            (float) ((inputs.stats[3 * i] - moments.mean) * inputs.stats[3 * i + 1]);
        Exponentials terms = new Exponentials(inputs, i);
        inputs.normalizers[1 + 2 * i] = (float) terms.largest;
        inputs.normalizers[2 + 2 * i] = (float) Math.log(terms.sum);
      }
      return inputs;
    }

    private static float[] vector(int n, long seed) {
      FloatMatrix m = Matrices.gaussian(1, n, seed);
      float[] vector = new float[n];
      System.arraycopy(m.data(), m.offset(), vector, 0, n);
      return vector;
    }

    Inputs withX(FloatMatrix other) {
      return new Inputs(
          other,
          y,
          gamma,
          beta,
          stats.clone(),
          scale,
          normalizers.clone(),
          computedNormalizers.clone());
    }

    Inputs withY(FloatMatrix other) {
      return new Inputs(
          x,
          other,
          gamma,
          beta,
          stats.clone(),
          scale,
          normalizers.clone(),
          computedNormalizers.clone());
    }

    Inputs copy() {
      return withX(Matrices.copy(x)).withY(Matrices.copy(y));
    }
  }

  /**
   * Mean and rstd of a row, and how far those of a float computation may be off. A mean that is off
   * by d adds d^2 to the variance; a relative error of the variance counts half in its root.
   */
  static final class Moments {
    final double mean;
    final double rstd;
    final double meanError;
    final double rstdError;

    Moments(Inputs in, int row) {
      int n = in.x.cols();
      double[] x = IntStream.range(0, n).mapToDouble(j -> in.x.get(row, j)).toArray();
      double sum = 0;
      double magnitude = 0;
      for (double value : x) {
        sum += value;
        magnitude += Math.abs(value);
      }
      mean = sum / n;
      double squares = 0;
      for (double value : x) {
        squares += (value - mean) * (value - mean);
      }
      double variance = squares / n + EPS;
      rstd = 1 / Math.sqrt(variance);
      meanError = gamma(n + 1) * magnitude / n;
      rstdError = 0.6 * (gamma(n + 5) + meanError * meanError / variance) + 2 * U;
    }
  }

  /**
   * The terms of a softmax, {@code exp(scale (x - largest))}. The exponent of a float computation
   * is off by the roundings of the difference and of the product.
   */
  static final class Exponentials {
    final double[] values;
    final double[] errors;
    final double largest;
    final double sum;
    final double sumError;

    Exponentials(Inputs in, int row) {
      int n = in.x.cols();
      double sign = in.scale < 0 ? -1 : 1;
      double[] x = IntStream.range(0, n).mapToDouble(j -> in.x.get(row, j)).toArray();
      double max = Double.NEGATIVE_INFINITY;
      for (double value : x) {
        max = Math.max(max, sign * value);
      }
      largest = sign * max;
      values = new double[n];
      errors = new double[n];
      double total = 0;
      double error = 0;
      for (int j = 0; j < n; j++) {
        double exponent = in.scale * (x[j] - largest);
        values[j] = Math.exp(exponent);
        errors[j] = Math.expm1(2 * U * Math.min(100, -exponent)) + EXP_ERROR;
        total += values[j];
        error += values[j] * errors[j];
      }
      sum = total;
      sumError = error / total + gamma(n);
    }

    double logError() {
      return 1.1 * sumError + U * Math.log(sum);
    }
  }

  static double gamma(int n) {
    return n * U / (1 - n * U);
  }

  private static double normalCdf(double x) {
    return 0.5 * Erf.erfc(-x / Math.sqrt(2));
  }

  private static void copy(FloatMatrix from, FloatMatrix to) {
    for (int i = 0; i < from.rows(); i++) {
      for (int j = 0; j < from.cols(); j++) {
        to.set(i, j, from.get(i, j));
      }
    }
  }
}
