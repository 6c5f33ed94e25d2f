package dev.switchyard.layers.norm;

import dev.switchyard.kernels.Elementwise;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Layer normalization (Ba et al. 2016), mean and variance over the features of a token:
 *
 * <pre>
 *   h = (x - mean) / sqrt(variance + eps)      y = gamma h + beta
 *   dx = (u - mean(u) - h mean(u h)) / sqrt(variance + eps)      u = gamma dy
 *   dgamma = sum of dy h over tokens      dbeta = sum of dy over tokens
 * </pre>
 */
public final class LayerNorm implements Layer {
  private static final float EPS = 1e-5f;

  private final Parameter gamma;
  private final Parameter beta;
  private final float eps;

  /**
   * A layer with gamma 1, beta 0 and eps 1e-5.
   *
   * @param name prefix of the parameters' names
   * @param features columns of its input
   */
  public LayerNorm(String name, int features) {
    this(
        Parameter.vector(name + ".gamma", ones(features)),
        Parameter.vector(name + ".beta", new float[features]),
        EPS);
  }

  private static float[] ones(int features) {
    float[] ones = new float[features];
    Arrays.fill(ones, 1);
    return ones;
  }

  /**
   * A layer with given parameters.
   *
   * @param gamma a gain for each feature
   * @param beta a shift for each feature
   * @param eps what is added to the variance, positive
   * @throws IllegalArgumentException if the parameters are not two rows of one length, or eps is
   *     not positive
   */
  public LayerNorm(Parameter gamma, Parameter beta, float eps) {
    if (gamma.value().rows() != 1 || !beta.value().shape().equals(gamma.value().shape())) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "gamma is %s but beta is %s (expected two equal rows)", gamma, beta));
    }
    if (!(eps > 0 && eps < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("eps is " + eps + " (expected a finite number above 0)");
    }
    this.gamma = gamma;
    this.beta = beta;
    this.eps = eps;
  }

  /**
   * The number of features.
   *
   * @return columns of its input
   */
  public int features() {
    return gamma.cols();
  }

  /**
   * Makes the same normalization with parameters of its own, under the same names.
   *
   * @return the copy
   */
  public LayerNorm copy() {
    return new LayerNorm(gamma.copy(), beta.copy(), eps);
  }

  // x [rows, features] -> y [rows, features]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    if (x.cols() != gamma.value().cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s has %d elements but input has %d features (expected %d)",
              gamma.name(),
              gamma.value().cols(),
              x.cols(),
              gamma.value().cols()));
    }
    FloatMatrix y = tape.result(x.rows(), x.cols());
    FloatMatrix stats = tape.result(x.rows(), 3);
    tape.kernels()
        .elementwise()
        .layerNorm(x.value(), gamma.value().data(), beta.value().data(), eps, y, stats.data());
    return tape.node(y)
        .from(x)
        .uses(parameters())
        .keeps(x.value(), stats)
        .backward((gy, kept) -> backward(tape, x, kept.floats(0), kept.floats(1).data(), gy));
  }

  // gy [rows, features] -> gx [rows, features], ggamma [features], gbeta [features]
  private void backward(Tape tape, Tensor x, FloatMatrix value, float[] stats, FloatMatrix gy) {
    Elementwise elementwise = tape.kernels().elementwise();
    if (!gamma.frozen() || !beta.frozen()) {
      FloatMatrix unwanted = tape.take(1, x.cols());
      elementwise.layerNormParameterGradients(
          value,
          stats,
          gy,
          (gamma.frozen() ? unwanted : gamma.grad()).data(),
          (beta.frozen() ? unwanted : beta.grad()).data());
      tape.giveBack(unwanted);
    }
    if (x.wantsGrad()) {
      FloatMatrix gx = tape.take(x.rows(), x.cols());
      elementwise.layerNormBackward(value, gamma.value().data(), stats, gy, gx);
      tape.addGrad(x, gx);
    }
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(gamma, beta);
  }
}
