package dev.switchyard.kernels.driver;

import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.parallel.Workspaces;

/** What a call needs and the next call can reuse. */
final class Scratch {
  private static final Workspaces<Scratch> SPARE = new Workspaces<>(Scratch::new);

  final Product product = new Product();
  final PackedMatrix packed = new PackedMatrix();
  private int[] columnMax = {};
  private float[] inverses = {};
  private double[] partialSums = {};

  private Scratch() {}

  static Scratch take() {
    return SPARE.take();
  }

  void giveBack() {
    product.clear();
    SPARE.giveBack(this);
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
