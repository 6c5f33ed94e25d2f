package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.List;

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
    return tape.record(
        y, List.of(x), parameters(), List.of(x.value()), gy -> backward(tape, x, gy));
  }

  // gy [rows, cols] -> gx [rows, cols]
  private static void backward(Tape tape, Tensor x, FloatMatrix gy) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    tape.kernels().elementwise().geluBackward(x.value(), gy, gx);
    tape.addGrad(x, gx);
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  public List<Linear> linears() {
    return List.of();
  }
}
