package dev.switchyard.layers.norm;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * RMS normalization (Zhang and Sennrich 2019), over the features of a token:
 *
 * <pre>
 *   h = x / sqrt(mean(x^2) + eps)      y = gamma h
 *   dx = (u - h mean(u h)) / sqrt(mean(x^2) + eps)      u = gamma dy
 *   dgamma = sum of dy h over tokens
 * </pre>
 */
public final class RmsNorm implements Layer {
  private static final float EPS = 1e-6f;

  private final Parameter gamma;
  private final float eps;

  /**
   * A layer with gamma 1 and eps 1e-6.
   *
   * @param name prefix of the parameter's name
   * @param features columns of its input
   */
  public RmsNorm(String name, int features) {
    this(Parameter.vector(name + ".gamma", ones(features)), EPS);
  }

  private static float[] ones(int features) {
    float[] ones = new float[features];
    Arrays.fill(ones, 1);
    return ones;
  }

  /**
   * A layer with a given gain.
   *
   * @param gamma a gain for each feature
   * @param eps what is added to the mean of squares, positive
   * @throws IllegalArgumentException if gamma is not one row, or eps is not positive
   */
  public RmsNorm(Parameter gamma, float eps) {
    if (gamma.rows() != 1) {
      throw new IllegalArgumentException("gamma is " + gamma + " (expected one row)");
    }
    if (!(eps > 0 && eps < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("eps is " + eps + " (expected a finite number above 0)");
    }
    this.gamma = gamma;
    this.eps = eps;
  }

  // x [rows, features] -> y [rows, features]; stats [rows, 3]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    if (x.cols() != gamma.cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s has %d elements but input has %d features (expected %d)",
              gamma.name(),
              gamma.cols(),
              x.cols(),
              gamma.cols()));
    }
    FloatMatrix y = tape.result(x.rows(), x.cols());
    FloatMatrix stats = tape.result(x.rows(), 3);
    FloatMatrix in = x.value();
    float[] gains = gamma.value().data();
    tape.kernels().parallel().forEach(x.rows(), i -> normalize(in, i, gains, y, stats));
    return tape.node(y)
        .from(x)
        .uses(gamma)
        .keeps(x.value(), stats)
        .backward((gy, kept) -> backward(tape, x, kept.floats(0), kept.floats(1), gy));
  }

  /** In double precision, in which no square of a float overflows. */
  private void normalize(FloatMatrix x, int row, float[] gains, FloatMatrix y, FloatMatrix stats) {
    double squares = 0;
    for (int j = 0; j < x.cols(); j++) {
      squares += (double) x.get(row, j) * x.get(row, j);
    }
    double rstd = 1 / Math.sqrt(squares / x.cols() + eps);
    for (int j = 0; j < x.cols(); j++) {
      y.set(row, j, (float) (x.get(row, j) * rstd * gains[j]));
    }
    stats.set(row, 0, 0); // as layer normalization has them, with a mean of 0
    stats.set(row, 1, (float) rstd);
    stats.set(row, 2, 0);
  }

  // gy [rows, features] -> gx [rows, features], ggamma [features]
  private void backward(Tape tape, Tensor x, FloatMatrix value, FloatMatrix stats, FloatMatrix gy) {
    if (!gamma.frozen()) {
      FloatMatrix ofShift = tape.take(1, x.cols()); // which there is none of
      tape.kernels()
          .elementwise()
          .layerNormParameterGradients(
              value, stats.data(), gy, gamma.grad().data(), ofShift.data());
      tape.giveBack(ofShift);
    }
    if (x.wantsGrad()) {
      FloatMatrix gx = tape.take(x.rows(), x.cols());
      float[] gains = gamma.value().data();
      tape.kernels()
          .parallel()
          .forEach(x.rows(), i -> goBack(value, i, gains, stats.get(i, 1), gy, gx));
      tape.addGrad(x, gx);
    }
  }

  private static void goBack(
      FloatMatrix x, int row, float[] gains, double rstd, FloatMatrix gy, FloatMatrix gx) {
    double sum = 0;
    for (int j = 0; j < x.cols(); j++) {
      sum += (double) gains[j] * gy.get(row, j) * (x.get(row, j) * rstd);
    }
    double mean = sum / x.cols();
    for (int j = 0; j < x.cols(); j++) {
      double u = (double) gains[j] * gy.get(row, j);
      gx.set(row, j, (float) (rstd * (u - x.get(row, j) * rstd * mean)));
    }
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(gamma);
  }
}
