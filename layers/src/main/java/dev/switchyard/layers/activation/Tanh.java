package dev.switchyard.layers.activation;

import dev.switchyard.kernels.data.Activation;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/**
 * The hyperbolic tangent:
 *
 * <pre>
 *   y = tanh(x)      dx = dy / cosh(x)^2
 * </pre>
 */
public final class Tanh implements Layer {
  /** The activation. */
  public Tanh() {}

  // x [rows, cols] -> y [rows, cols]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    return Activated.forward(tape, Activation.TANH, x);
  }
}
