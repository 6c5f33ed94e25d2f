package dev.switchyard.kernels.data;

/**
 * A row-major matrix that can be an operand of a product. Element (i, j) lies at {@code offset() +
 * i * rowStride() + j} of its array.
 */
public sealed interface Matrix permits FloatMatrix, Bfloat16Matrix, QuantizedMatrix {
  /**
   * The number of rows (tokens).
   *
   * @return the number of rows, 0 or more
   */
  int rows();

  /**
   * The number of columns (features).
   *
   * @return the number of columns, 0 or more
   */
  int cols();

  /**
   * The index of element (0, 0).
   *
   * @return an index into the array
   */
  int offset();

  /**
   * The distance between vertically adjacent elements.
   *
   * @return the stride in elements, at least {@link #cols()}
   */
  int rowStride();

  /**
   * The name of the shape, as error messages give it.
   *
   * @return rows x columns, such as {@code 512x768}
   */
  default String shape() {
    return rows() + "x" + cols();
  }
}
