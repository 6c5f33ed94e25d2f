package dev.switchyard.kernels.driver;

import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.data.PackedMatrix;

/**
 * What a call needs and the next call can reuse, kept by thread. It is taken out for the length of
 * a call, so that a call made within another one finds nothing and makes its own.
 */
final class Scratch {
  private static final ThreadLocal<Scratch[]> OF_THREAD =
      ThreadLocal.withInitial(() -> new Scratch[1]);

  final Product product = new Product();
  final PackedMatrix packed = new PackedMatrix();
  private int[] columnMax = {};
  private float[] inverses = {};
  private double[] partialSums = {};

  private Scratch() {}

  static Scratch take() {
    Scratch[] place = OF_THREAD.get();
    Scratch scratch = place[0];
    place[0] = null;
    return scratch == null ? new Scratch() : scratch;
  }

  void giveBack() {
    product.clear();
    OF_THREAD.get()[0] = this;
  }

  /** At least {@code cols} zeros. */
  int[] columnMax(int cols) {
    if (columnMax.length < cols) {
      columnMax = new int[cols];
    } else {
      java.util.Arrays.fill(columnMax, 0, cols, 0);
    }
    return columnMax;
  }

  /** At least {@code cols} elements. */
  float[] inverses(int cols) {
    if (inverses.length < cols) {
      inverses = new float[cols];
    }
    return inverses;
  }

  /** At least {@code n} elements. */
  double[] partialSums(int n) {
    if (partialSums.length < n) {
      partialSums = new double[n];
    }
    return partialSums;
  }
}
