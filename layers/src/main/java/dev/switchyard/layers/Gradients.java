package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import java.util.Arrays;

/**
 * The gradients of tensors on the way back. A matrix is owned by the one tensor that adds to it; a
 * gradient that was passed on as it is has two, and is then copied before anything is added.
 */
final class Gradients {
  private final Kernels kernels;
  private final Buffers buffers;
  private Node current; // whose gradient is passed back; null between two ways back

  Gradients(Kernels kernels, Buffers buffers) {
    this.kernels = kernels;
    this.buffers = buffers;
  }

  /** Goes back through one layer, whose gradient nobody needs then. */
  void goBack(Node node) {
    current = node;
    try {
      node.run(node.result().grad);
      drop(node.result());
    } finally {
      current = null;
    }
  }

  /** Refuses the value of a tensor that a layer has not kept, on its way back. */
  @SuppressWarnings("ReferenceEquality") // of the array itself
  void requireKept(FloatMatrix value) {
    if (current == null) {
      return;
    }
    for (Matrix matrix : current.kept()) {
      if (matrix instanceof FloatMatrix kept && kept.data() == value.data()) {
        return;
      }
    }
    throw new IllegalStateException(
        "a layer reads tensor "
            + value.shape()
            + " on the way back, whose storage may be another's by then (expected it among those"
            + " that Node.keeps names)");
  }

  @SuppressWarnings("ReferenceEquality") // of the array itself
  boolean isPassedBack(FloatMatrix gx) {
    FloatMatrix gy = current == null ? null : current.result().grad;
    return gy != null && gy.data() == gx.data();
  }

  void set(Tensor y, FloatMatrix gradY) {
    y.grad = gradY;
    y.ownsGrad = false;
  }

  private void own(Tensor x, FloatMatrix sum) {
    buffers.own(sum);
    x.grad = sum;
    x.ownsGrad = true;
  }

  void add(Tensor x, FloatMatrix gx) {
    if (!x.wantsGrad()) {
      buffers.giveBack(gx);
    } else if (x.grad == null) {
      own(x, gx);
    } else if (x.ownsGrad) {
      kernels.elementwise().add(x.grad, gx, x.grad); // the matrix that its owner may have read
      buffers.giveBack(gx);
    } else {
      kernels.elementwise().add(x.grad, gx, gx);
      own(x, gx);
    }
  }

  void addRows(Tensor x, int[] index, FloatMatrix gx) {
    if (x.grad == null || !x.ownsGrad) {
      FloatMatrix sum = buffers.take(x.rows(), x.cols());
      if (x.grad == null) {
        Arrays.fill(sum.data(), 0, x.rows() * x.cols(), 0);
      } else {
        x.grad.copyTo(sum);
      }
      own(x, sum);
    }
    kernels.indexedRows().scatterAdd(gx, index, x.grad);
  }

  void passOn(Tensor x) {
    Tensor y = current.result();
    if (!x.wantsGrad()) {
      return;
    }
    if (x.grad != null) {
      FloatMatrix sum = x.ownsGrad ? x.grad : buffers.take(y.rows(), y.cols());
      kernels.elementwise().add(x.grad, y.grad, sum);
      own(x, sum);
      return;
    }
    if (y.ownsGrad) { // two tensors hold it from here on: neither may recycle it
      buffers.keep(y.grad);
      y.ownsGrad = false;
    }
    set(x, y.grad);
  }

  void drop(Tensor x) {
    FloatMatrix gx = x.ownsGrad ? x.grad : null;
    set(x, null);
    if (gx != null) {
      buffers.giveBack(gx);
    }
  }
}
