package dev.switchyard.kernels.backend.vector;

import static dev.switchyard.kernels.backend.vector.Species.FLOAT;
import static dev.switchyard.kernels.backend.vector.Species.LANES;
import static dev.switchyard.kernels.backend.vector.VectorElementwise.exp;
import static dev.switchyard.kernels.backend.vector.VectorElementwise.rest;

import dev.switchyard.kernels.backend.ActivationKernel;
import dev.switchyard.kernels.data.Activation;
import dev.switchyard.kernels.data.FloatMatrix;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Activations and their slopes, a vector at a time. All are made of {@code e = exp(-|x|)}, which is
 * at most 1: nothing overflows, and {@code 1 / (1 + e)} and {@code e / (1 + e)} are the sigmoid of
 * either sign without a difference.
 */
final class VectorActivations implements ActivationKernel {
  /** From here on tanh is made of exponentials; below, the series loses nothing. */
  private static final float SMALL = 0.5f;

  @Override
  public void values(Activation f, FloatMatrix x, FloatMatrix y, int begin, int end) {
    for (int i = begin; i < end; i++) {
      values(f, x.data(), x.rowIndex(i), y.data(), y.rowIndex(i), x.cols());
    }
  }

  @Override
  public void gradients(
      Activation f, FloatMatrix x, FloatMatrix gy, FloatMatrix gx, int begin, int end) {
    for (int i = begin; i < end; i++) {
      int from = gy.rowIndex(i);
      int to = gx.rowIndex(i);
      gradients(f, x.data(), x.rowIndex(i), gy.data(), from, gx.data(), to, x.cols());
    }
  }

  /** {@code y = f(x)}. */
  private static void values(Activation f, float[] x, int xo, float[] y, int yo, int n) {
    int whole = n & -LANES;
    for (int i = 0; i < whole; i += LANES) {
      value(f, FloatVector.fromArray(FLOAT, x, xo + i)).intoArray(y, yo + i);
    }
    if (whole < n) {
      float[] rest = rest(x, xo + whole, n - whole);
      value(f, FloatVector.fromArray(FLOAT, rest, 0)).intoArray(rest, 0);
      System.arraycopy(rest, 0, y, yo + whole, n - whole);
    }
  }

  /** {@code gx = gy f'(x)}. */
  private static void gradients(
      Activation f, float[] x, int xo, float[] gy, int go, float[] gx, int gxo, int n) {
    int whole = n & -LANES;
    for (int i = 0; i < whole; i += LANES) {
      slope(f, FloatVector.fromArray(FLOAT, x, xo + i))
          .mul(FloatVector.fromArray(FLOAT, gy, go + i))
          .intoArray(gx, gxo + i);
    }
    if (whole < n) {
      float[] rest = rest(x, xo + whole, n - whole);
      slope(f, FloatVector.fromArray(FLOAT, rest, 0))
          .mul(FloatVector.fromArray(FLOAT, rest(gy, go + whole, n - whole), 0))
          .intoArray(rest, 0);
      System.arraycopy(rest, 0, gx, gxo + whole, n - whole);
    }
  }

  private static FloatVector value(Activation f, FloatVector x) {
    return switch (f) {
      case RELU -> x.max(0);
      case SILU -> x.mul(sigmoid(x, exp(x.abs().neg())));
      case TANH -> tanh(x);
      case SOFTPLUS -> x.max(0).add(log1p(exp(x.abs().neg())));
    };
  }

  private static FloatVector slope(Activation f, FloatVector x) {
    return switch (f) {
      case RELU ->
          one().blend(0, x.compare(VectorOperators.LE, 0)).blend(x, x.test(VectorOperators.IS_NAN));
      case SILU -> {
        FloatVector e = exp(x.abs().neg());
        yield sigmoid(x, e).mul(x.fma(sigmoid(x.neg(), e), one()));
      }
      case TANH -> {
        FloatVector e = exp(x.abs().mul(-2));
        FloatVector sum = e.add(1);
        yield e.mul(4).div(sum.mul(sum));
      }
      case SOFTPLUS -> sigmoid(x, exp(x.abs().neg()));
    };
  }

  private static FloatVector one() {
    return FloatVector.broadcast(FLOAT, 1);
  }

  /** 1 / (1 + exp(-x)) from e = exp(-|x|). */
  private static FloatVector sigmoid(FloatVector x, FloatVector e) {
    return one().blend(e, x.compare(VectorOperators.LT, 0)).div(e.add(1));
  }

  /** By exponentials, and where those cancel by the series x - x^3/3 + 2x^5/15 - ... */
  private static FloatVector tanh(FloatVector x) {
    FloatVector e = exp(x.abs().mul(-2));
    FloatVector magnitude = one().sub(e).div(e.add(1));
    FloatVector large = magnitude.blend(magnitude.neg(), x.compare(VectorOperators.LT, 0));
    FloatVector z = x.mul(x);
    FloatVector p = FloatVector.broadcast(FLOAT, (float) (-929569 / 638512875.0));
    p = p.fma(z, FloatVector.broadcast(FLOAT, 21844 / 6081075f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, -1382 / 155925f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, 62 / 2835f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, -17 / 315f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, 2 / 15f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, -1 / 3f));
    return large.blend(p.mul(z).fma(x, x), x.abs().compare(VectorOperators.LT, SMALL));
  }

  /**
   * log(1 + u) for u from 0 to 1: with s = u / (2 + u), at most 1/3, it is 2 (s + s^3/3 + s^5/5 +
   * ...), whose next term is below 2e-9 of it.
   */
  private static FloatVector log1p(FloatVector u) {
    FloatVector s = u.div(u.add(2));
    FloatVector z = s.mul(s);
    FloatVector p = FloatVector.broadcast(FLOAT, 1 / 15f);
    p = p.fma(z, FloatVector.broadcast(FLOAT, 1 / 13f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, 1 / 11f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, 1 / 9f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, 1 / 7f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, 1 / 5f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, 1 / 3f));
    p = p.fma(z, FloatVector.broadcast(FLOAT, 1));
    return p.mul(s).mul(2);
  }
}
