package dev.switchyard.kernels.data;

/** What a product can be written to: a view of a row-major matrix over a plain array. */
public sealed interface Result permits FloatMatrix, Bfloat16Matrix, IntMatrix {
  /**
   * Number of rows.
   *
   * @return 0 or more
   */
  int rows();

  /**
   * Number of columns.
   *
   * @return 0 or more
   */
  int cols();

  /**
   * Distance of an element from the one below.
   *
   * @return in elements
   */
  int rowStride();

  /**
   * The array index of a row's first element, unchecked.
   *
   * @param row the row
   * @return its index
   */
  int rowIndex(int row);
}
