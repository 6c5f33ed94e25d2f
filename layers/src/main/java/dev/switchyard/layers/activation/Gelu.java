package dev.switchyard.layers.activation;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/**
 * The exact GELU (Hendrycks and Gimpel 2016), with the normal distribution Phi and its density phi:
 *
 * <pre>
 *   y = x Phi(x)      dx = dy (Phi(x) + x phi(x))
 * </pre>
 */
public final class Gelu implements Layer {
  /** The activation. */
  public Gelu() {}

  // x [rows, cols] -> y [rows, cols]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    FloatMatrix y = tape.result(x.rows(), x.cols());
    tape.kernels().elementwise().gelu(x.value(), y);
    return tape.node(y)
        .from(x)
        .keeps(x.value())
        .backward((gy, kept) -> backward(tape, x, kept.floats(0), gy));
  }

  // gy [rows, cols] -> gx [rows, cols]
  private static void backward(Tape tape, Tensor x, FloatMatrix value, FloatMatrix gy) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    tape.kernels().elementwise().geluBackward(value, gy, gx);
    tape.addGrad(x, gx);
  }
}
