package dev.switchyard.bench.soak;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * What the linear layers of a model in training computed with; and each of them computed again,
 * alone, on two backends. There rounding has nothing to add up over, so the bounds are sharp: int8
 * products are the same bits, and a sum of n float products is off by at most (n + 2) u times the
 * sum of their sizes, u = 2^-24, on either backend; that sum is at most the product of the norms of
 * both vectors.
 */
final class LinearLayers implements Tape.Watcher {
  private static final double U = 0x1p-24;

  private static final class Call {
    final int layer;
    final FloatMatrix x;
    FloatMatrix gy; // null until the tape has gone back

    Call(int layer, FloatMatrix x) {
      this.layer = layer;
      this.x = x;
    }
  }

  private final List<Linear> layers;
  private final List<Call> calls = new ArrayList<>();

  LinearLayers(List<Linear> layers) {
    this.layers = layers;
  }

  @Override
  public Consumer<FloatMatrix> forward(Linear layer, FloatMatrix x) {
    int index = layers.indexOf(layer);
    if (index < 0) { // of a router, which keeps it to itself
      return null;
    }
    Call call = new Call(index, x.copy());
    calls.add(call);
    return gy -> call.gy = gy.copy();
  }

  /**
   * Computes all calls since the last check again.
   *
   * @param twins the same layers with the same weights, whose gradients nobody needs
   */
  void check(List<Linear> twins, Kernels expected, Kernels actual) throws WrongResult {
    for (Call call : calls) {
      if (call.gy != null) { // a pass that was only there to be recomputed never goes back
        Linear twin = twins.get(call.layer);
        compare(
            twin,
            call.x,
            call.gy,
            compute(twin, call.x, call.gy, expected),
            compute(twin, call.x, call.gy, actual));
      }
    }
    calls.clear();
  }

  /** Output and gradients of a layer. */
  record Products(FloatMatrix y, FloatMatrix gx, FloatMatrix gw) {}

  /** Compares what two backends computed of one input and one gradient of the output. */
  static void compare(Linear layer, FloatMatrix x, FloatMatrix gy, Products right, Products ours)
      throws WrongResult {
    Precision precision = layer.precision();
    String name = layer.name() + " in " + precision + " alone, ";
    FloatMatrix w = layer.parameters().getFirst().value();
    if (isInt8(precision)) {
      Results.requireSame(name + "Y", right.y(), ours.y());
      Results.requireSame(name + "dX", right.gx(), ours.gx());
    } else {
      Results.requireWithin(
          name + "Y",
          bounds(layer, rowNorms(x), rowNorms(w), w.cols(), right.y()),
          right.y(),
          ours.y());
      Results.requireWithin(
          name + "dX",
          bounds(layer, rowNorms(gy), columnNorms(w), w.rows(), right.gx()),
          right.gx(),
          ours.gx());
    }
    if (layer.parameters().getFirst().frozen()) {
      return;
    }
    if (precision == Precision.INT8_ALL) {
      Results.requireSame(name + "dW", right.gw(), ours.gw());
    } else {
      Results.requireWithin(
          name + "dW",
          bounds(layer, columnNorms(gy), columnNorms(x), x.rows(), right.gw()),
          right.gw(),
          ours.gw());
    }
  }

  private static boolean isInt8(Precision precision) {
    return switch (precision) {
      case SWITCHBACK, SWITCHBACK_M, SWITCHBACK_Q, SWITCHBACK_OUTLIERS, INT8_ALL -> true;
      default -> false;
    };
  }

  static Products compute(Linear layer, FloatMatrix x, FloatMatrix gy, Kernels kernels) {
    layer.parameters().forEach(Parameter::zeroGrad);
    Tape tape = Tape.recording(kernels);
    Tensor input = Tensor.withGrad(x);
    Tensor y = layer.forward(tape, input);
    FloatMatrix output = y.value().copy();
    tape.backward(y, gy);
    return new Products(output, input.grad().copy(), layer.parameters().getFirst().grad().copy());
  }

  /**
   * Of the difference of two results: twice that of one. Rounded operands are larger than these by
   * up to a 2^-8th in bfloat16, and by up to their own size where the steps are coarse.
   *
   * @param a norms of the vectors of the left operand
   * @param b norms of the vectors of the right operand
   * @param n their length
   * @param result whose size stands for that of the bias, which is one more summand
   */
  private static double[][] bounds(
      Linear layer, double[] a, double[] b, int n, FloatMatrix result) {
    double growth =
        switch (layer.precision()) {
          case FLOAT32 -> 1;
          case BFLOAT16 -> 1.01;
          default -> 4;
        };
    double[][] bounds = new double[a.length][b.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < b.length; j++) {
        double size = growth * a[i] * b[j];
        bounds[i][j] = 2 * (n + 3) * U * (2 * size + Math.abs(result.get(i, j))) + Float.MIN_NORMAL;
      }
    }
    return bounds;
  }

  private static double[] rowNorms(FloatMatrix matrix) {
    double[] norms = new double[matrix.rows()];
    for (int i = 0; i < norms.length; i++) {
      for (int j = 0; j < matrix.cols(); j++) {
        norms[i] += Math.pow(matrix.get(i, j), 2);
      }
      norms[i] = Math.sqrt(norms[i]);
    }
    return norms;
  }

  private static double[] columnNorms(FloatMatrix matrix) {
    double[] norms = new double[matrix.cols()];
    for (int j = 0; j < norms.length; j++) {
      for (int i = 0; i < matrix.rows(); i++) {
        norms[j] += Math.pow(matrix.get(i, j), 2);
      }
      norms[j] = Math.sqrt(norms[j]);
    }
    return norms;
  }
}
