package dev.switchyard.bench.kernels;

import dev.switchyard.bench.peers.PeerProduct;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;

/** Switchyard's Y = X W^T + bias with a weight that is packed once. */
final class PackedProduct {
  private final Kernels kernels;
  private final Matrix x;
  private final PackedMatrix w = new PackedMatrix();
  private final Epilogue epilogue;
  private final FloatMatrix y;

  /**
   * @param x [m, k], of the kind that {@code type} takes
   * @param w [n, k]
   * @param y takes the result; several products may share it if they run in turn
   */
  PackedProduct(
      Kernels kernels, ElementType type, Matrix x, Matrix w, float[] bias, FloatMatrix y) {
    this.kernels = kernels;
    this.x = x;
    this.epilogue = Epilogue.bias(bias);
    this.y = y;
    kernels.pack(type, Form.NT, w, this.w);
  }

  FloatMatrix run() {
    kernels.multiply(x, w, epilogue, y);
    return y;
  }

  /** Refuses a peer's product of the same operands that gives another result. */
  void check(String name, PeerProduct peer, double tolerance) {
    peer.run();
    Operands.checkEqual(name, peer.result(), run().data(), tolerance);
  }
}
