package dev.switchyard.layers.activation;

import dev.switchyard.kernels.data.Activation;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/**
 * The softplus (Dugas et al. 2001), a rectifier without a kink:
 *
 * <pre>
 *   y = log(1 + e^x)      dx = dy / (1 + e^-x)
 * </pre>
 */
public final class Softplus implements Layer {
  /** The activation. */
  public Softplus() {}

  // x [rows, cols] -> y [rows, cols]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    return Activated.forward(tape, Activation.SOFTPLUS, x);
  }
}
