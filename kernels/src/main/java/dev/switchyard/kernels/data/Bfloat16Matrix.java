package dev.switchyard.kernels.data;

/**
 * A row-major matrix of bfloat16 values (the upper 16 bits of a 32-bit float) over a plain array;
 * several views may share one array.
 *
 * <p>Two are equal if they are the same part of the same array, whatever its elements are.
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
public record Bfloat16Matrix(short[] data, int offset, int rows, int cols, int rowStride)
    implements Matrix, Result {
  /**
   * Checks the view against its array.
   *
   * @throws IllegalArgumentException if the view does not lie within the array
   */
  public Bfloat16Matrix {
    Bounds.checkView("bfloat16 matrix", data.length, offset, rows, cols, rowStride);
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
  public static Bfloat16Matrix of(short[] data, int rows, int cols) {
    return new Bfloat16Matrix(data, 0, rows, cols, cols);
  }

  /**
   * A new matrix of zeros.
   *
   * @param rows number of rows
   * @param cols number of columns
   * @return the matrix, dense
   * @throws IllegalArgumentException if a Java array cannot hold it
   */
  public static Bfloat16Matrix allocate(int rows, int cols) {
    return of(new short[Bounds.elements("bfloat16 matrix", rows, cols, cols)], rows, cols);
  }

  /**
   * The rows {@code from} to {@code to - 1}, as a view of the same array.
   *
   * @param from first row
   * @param to row after the last
   * @return the view
   * @throws IndexOutOfBoundsException if the range is not within the matrix
   */
  public Bfloat16Matrix rowRange(int from, int to) {
    Bounds.checkRange("rows", from, to, rows);
    return new Bfloat16Matrix(
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
  public Bfloat16Matrix columnRange(int from, int to) {
    Bounds.checkRange("columns", from, to, cols);
    return new Bfloat16Matrix(data, rows == 0 ? offset : offset + from, rows, to - from, rowStride);
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
    return Bfloat16.toFloat(data[rowIndex(row) + col]);
  }

  /**
   * Writes one element.
   *
   * @param row its row
   * @param col its column
   * @param value its new value, rounded to the nearest bfloat16, ties to even
   * @throws IndexOutOfBoundsException if there is no such element
   */
  public void set(int row, int col, float value) {
    Bounds.checkElement(row, col, rows, cols);
    data[rowIndex(row) + col] = Bfloat16.fromFloat(value);
  }

  /** Kind, shape, and the first rows and columns. */
  @Override
  public String toString() {
    return Preview.of("Bfloat16Matrix", rows, cols, this::get);
  }
}
