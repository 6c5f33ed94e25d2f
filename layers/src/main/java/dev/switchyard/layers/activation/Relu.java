package dev.switchyard.layers.activation;

import dev.switchyard.kernels.data.Activation;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/**
 * The rectifier (Nair and Hinton 2010):
 *
 * <pre>
 *   y = max(x, 0)      dx = dy if x > 0, otherwise 0
 * </pre>
 */
public final class Relu implements Layer {
  /** The activation. */
  public Relu() {}

  // x [rows, cols] -> y [rows, cols]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    return Activated.forward(tape, Activation.RELU, x);
  }
}
