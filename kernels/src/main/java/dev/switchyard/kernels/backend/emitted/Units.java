package dev.switchyard.kernels.backend.emitted;

/** How many elements at a time. */
final class Units {
  /** Bytes of an operand that one packing call reads, for the collector's sake. */
  private static final int PACK_BYTES = 1 << 19;

  private Units() {}

  /** At most by {@code to - 1} more than the value: see {@code Bounds}. */
  static int roundUp(int value, int to) {
    return Math.ceilDiv(value, to) * to;
  }

  /** As many whole units as there are, up to {@code most}, and at the end what is left of one. */
  static int whole(int left, int unit, int most) {
    return left < unit ? left : Math.min(most, left / unit * unit);
  }

  /** Rows of so many elements that a packing call reads. */
  static int rowsACall(int elements) {
    return Math.max(1, PACK_BYTES / Float.BYTES / elements);
  }
}
