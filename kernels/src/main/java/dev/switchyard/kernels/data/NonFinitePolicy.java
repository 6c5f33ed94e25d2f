package dev.switchyard.kernels.data;

/** What quantization does with a NaN or an infinity; it never turns one silently into a number. */
public enum NonFinitePolicy {
  /** Throw an {@link ArithmeticException} that names the first such row and column. */
  REJECT,
  /**
   * Give the scale NaN to the row, column or tensor concerned, so that all that is computed from it
   * is NaN.
   */
  PROPAGATE
}
