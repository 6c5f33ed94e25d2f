package dev.switchyard.kernels.data;

/**
 * A row-major matrix of 32-bit floats over a plain array; several views may share one array.
 *
 * <p>Immutable as a view, mutable in its elements. Safe for use by several threads as long as no
 * element is written by one and touched by another.
 *
 * @param data the array
 * @param offset index of element (0, 0)
 * @param rows number of rows
 * @param cols number of columns
 * @param rowStride distance of element (i + 1, j) from element (i, j), at least {@code cols}
 */
public record FloatMatrix(float[] data, int offset, int rows, int cols, int rowStride)
    implements Matrix, Result {
  /**
   * Checks the view against its array.
   *
   * @throws IllegalArgumentException if the view does not lie within the array
   */
  public FloatMatrix {
    Bounds.checkView("float matrix", data.length, offset, rows, cols, rowStride);
  }

  /**
   * A dense view of the start of an array.
   *
   * @param data the array, at least {@code rows * cols} long
   * @param rows number of rows
   * @param cols number of columns
   * @return the view
   * @throws IllegalArgumentException if the array is too short
   */
  public static FloatMatrix of(float[] data, int rows, int cols) {
    return new FloatMatrix(data, 0, rows, cols, cols);
  }

  /**
   * A new matrix of zeros.
   *
   * @param rows number of rows
   * @param cols number of columns
   * @return the matrix, dense
   * @throws IllegalArgumentException if a Java array cannot hold it
   */
  public static FloatMatrix allocate(int rows, int cols) {
    return of(new float[Bounds.elements("float matrix", rows, cols, cols)], rows, cols);
  }

  /**
   * The rows {@code from} to {@code to - 1}, as a view of the same array.
   *
   * @param from first row
   * @param to row after the last
   * @return the view
   * @throws IndexOutOfBoundsException if the range is not within the matrix
   */
  public FloatMatrix rowRange(int from, int to) {
    Bounds.checkRange("rows", from, to, rows);
    return new FloatMatrix(
        data,
        from == to || cols == 0 ? offset : offset + from * rowStride,
        to - from,
        cols,
        rowStride);
  }

  /**
   * The columns {@code from} to {@code to - 1}, as a view of the same array.
   *
   * @param from first column
   * @param to column after the last
   * @return the view
   * @throws IndexOutOfBoundsException if the range is not within the matrix
   */
  public FloatMatrix columnRange(int from, int to) {
    Bounds.checkRange("columns", from, to, cols);
    return new FloatMatrix(data, rows == 0 ? offset : offset + from, rows, to - from, rowStride);
  }

  /**
   * Copies the elements into another matrix.
   *
   * @param target of the same shape; may be a view
   * @throws IllegalArgumentException if the shapes differ
   */
  public void copyTo(FloatMatrix target) {
    if (target.rows != rows || target.cols != cols) {
      throw new IllegalArgumentException(
          "matrix is " + shape() + " but target is " + target.shape() + " (expected equal shapes)");
    }
    for (int i = 0; i < rows; i++) {
      System.arraycopy(data, rowIndex(i), target.data, target.rowIndex(i), cols);
    }
  }

  /**
   * A copy of the elements.
   *
   * @return a new matrix, dense and alone in its array
   */
  public FloatMatrix copy() {
    FloatMatrix copy = allocate(rows, cols);
    copyTo(copy);
    return copy;
  }

  /**
   * The array index of a row's first element, unchecked.
   *
   * @param row the row
   * @return its index
   */
  @Override
  public int rowIndex(int row) {
    return offset + row * rowStride;
  }

  /**
   * Reads one element.
   *
   * @param row its row
   * @param col its column
   * @return its value
   * @throws IndexOutOfBoundsException if there is no such element
   */
  public float get(int row, int col) {
    Bounds.checkElement(row, col, rows, cols);
    return data[rowIndex(row) + col];
  }

  /**
   * Writes one element.
   *
   * @param row its row
   * @param col its column
   * @param value its new value
   * @throws IndexOutOfBoundsException if there is no such element
   */
  public void set(int row, int col, float value) {
    Bounds.checkElement(row, col, rows, cols);
    data[rowIndex(row) + col] = value;
  }
}
