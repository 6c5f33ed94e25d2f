package dev.switchyard.layers.norm;

import dev.switchyard.kernels.Elementwise;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Node;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A learned gain for each feature of a residual branch (Touvron et al. 2021, section 2):
 *
 * <pre>
 *   y = gain x      dx = gain dy      dgain = sum of dy x over tokens
 * </pre>
 *
 * Gains that start at 0 make each block the identity at first, which keeps features small and lets
 * tensor-wise float8 train where nothing else does (Wortsman et al. 2023, section 2.3). In the
 * first step only the gains then have a gradient.
 */
public final class LayerScale implements Layer {
  private final Parameter gain;

  /**
   * A layer whose gains are 0.
   *
   * @param name prefix of the parameter's name
   * @param features columns of its input
   */
  public LayerScale(String name, int features) {
    this(name, features, 0);
  }

  /**
   * A layer whose gains are all the same at first.
   *
   * @param name prefix of the parameter's name
   * @param features columns of its input
   * @param initial the gain
   */
  public LayerScale(String name, int features, float initial) {
    float[] gains = new float[features];
    Arrays.fill(gains, initial);
    gain = Parameter.vector(name + ".gain", gains);
  }

  // x [rows, features] -> y [rows, features]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    if (x.cols() != gain.value().cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s has %d elements but input has %d features (expected %d)",
              gain.name(),
              gain.value().cols(),
              x.cols(),
              gain.value().cols()));
    }
    FloatMatrix y = tape.result(x.rows(), x.cols());
    tape.kernels().elementwise().scaleColumns(x.value(), gain.value().data(), y);
    Node node = tape.node(y).from(x).uses(gain);
    if (!gain.frozen()) {
      node.keeps(x.value());
    }
    return node.backward((gy, kept) -> backward(tape, x, kept, gy));
  }

  // gy [rows, features] -> gx [rows, features], ggain [features]
  private void backward(Tape tape, Tensor x, Node.Kept kept, FloatMatrix gy) {
    Elementwise elementwise = tape.kernels().elementwise();
    if (!gain.frozen()) {
      elementwise.addColumnDots(gy, kept.floats(0), gain.grad().data());
    }
    if (x.wantsGrad()) {
      FloatMatrix gx = tape.take(x.rows(), x.cols());
      elementwise.scaleColumns(gy, gain.value().data(), gx);
      tape.addGrad(x, gx);
    }
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(gain);
  }
}
