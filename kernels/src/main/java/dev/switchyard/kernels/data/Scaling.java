package dev.switchyard.kernels.data;

/** Which elements of a quantized matrix share one scale. */
public enum Scaling {
  /** One scale a row: for activations and gradients, where an outlier token must stay isolated. */
  ROW,
  /** One scale a column. */
  COLUMN,
  /**
   * One scale for all: the same int8 matrix then serves a product with W and with its transpose.
   */
  TENSOR;

  /**
   * The number of scales of a matrix.
   *
   * @param rows its rows
   * @param cols its columns
   * @return how many scales it has
   */
  public int scales(int rows, int cols) {
    return switch (this) {
      case ROW -> rows;
      case COLUMN -> cols;
      case TENSOR -> 1;
    };
  }
}
