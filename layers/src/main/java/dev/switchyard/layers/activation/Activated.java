package dev.switchyard.layers.activation;

import dev.switchyard.kernels.data.Activation;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/** A function of each element: y = f(x), dx = dy f'(x). */
final class Activated {
  private Activated() {}

  // x [rows, cols] -> y [rows, cols]
  static Tensor forward(Tape tape, Activation f, Tensor x) {
    FloatMatrix y = tape.result(x.rows(), x.cols());
    tape.kernels().activations().forward(f, x.value(), y);
    return tape.node(y)
        .from(x)
        .keeps(x.value())
        .backward((gy, kept) -> backward(tape, f, x, kept.floats(0), gy));
  }

  // gy [rows, cols] -> gx [rows, cols]
  private static void backward(
      Tape tape, Activation f, Tensor x, FloatMatrix value, FloatMatrix gy) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    tape.kernels().activations().backward(f, value, gy, gx);
    tape.addGrad(x, gx);
  }
}
