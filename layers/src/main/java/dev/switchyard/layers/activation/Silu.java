package dev.switchyard.layers.activation;

import dev.switchyard.kernels.data.Activation;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/**
 * The SiLU or swish (Elfwing et al. 2018), with the sigmoid s(x) = 1 / (1 + e^-x):
 *
 * <pre>
 *   y = x s(x)      dx = dy s(x) (1 + x s(-x))
 * </pre>
 */
public final class Silu implements Layer {
  /** The activation. */
  public Silu() {}

  // x [rows, cols] -> y [rows, cols]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    return Activated.forward(tape, Activation.SILU, x);
  }
}
