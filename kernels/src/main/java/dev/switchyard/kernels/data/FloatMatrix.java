package dev.switchyard.kernels.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.util.Locale;

/**
 * A row-major matrix of 32-bit floats over a plain array; several views may share one array.
 *
 * <p>Two are equal if they are the same part of the same array: {@link #toArray()} compares
 * elements, in {@code Arrays.equals(a.toArray(), b.toArray())}. The array may be longer than the
 * matrix, as those are in which layers compute, so read it through {@link #rowIndex}, {@link #get}
 * or a copy.
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
  private static final ValueLayout.OfFloat ANYWHERE = ValueLayout.JAVA_FLOAT_UNALIGNED;

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
    for (int i = 0; i < rows && cols > 0; i++) { // empty rows need not lie in the array
      System.arraycopy(data, rowIndex(i), target.data, target.rowIndex(i), cols);
    }
  }

  /**
   * The elements, row by row.
   *
   * @return a new array of {@code rows * cols}
   * @throws IllegalArgumentException if a Java array cannot hold them
   */
  public float[] toArray() {
    return copy().data;
  }

  /**
   * Copies the elements into an array, row by row.
   *
   * @param target of {@code rows * cols} elements
   * @throws IllegalArgumentException if it has more or fewer
   */
  public void copyTo(float[] target) {
    copyTo(of(target, rows, exactCols(target)));
  }

  /**
   * Copies the elements from an array, row by row.
   *
   * @param source of {@code rows * cols} elements
   * @throws IllegalArgumentException if it has more or fewer
   */
  public void copyFrom(float[] source) {
    of(source, rows, exactCols(source)).copyTo(this);
  }

  private int exactCols(float[] array) {
    if (array.length != (long) rows * cols) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the array has %d elements but the matrix is %s (expected %d)",
              array.length,
              shape(),
              (long) rows * cols));
    }
    return cols;
  }

  /**
   * Copies the elements into a buffer, row by row, from its position on, which stays.
   *
   * @param target with {@code rows * cols} elements or more from there to its limit
   * @throws IllegalArgumentException if it has fewer, or is read-only
   */
  public void copyTo(FloatBuffer target) {
    requireFloats(target);
    copyTo(MemorySegment.ofBuffer(target), ANYWHERE.withOrder(target.order()));
  }

  /**
   * Copies the elements from a buffer, row by row, from its position on, which stays.
   *
   * @param source with {@code rows * cols} elements or more from there to its limit
   * @throws IllegalArgumentException if it has fewer
   */
  public void copyFrom(FloatBuffer source) {
    requireFloats(source);
    copyFrom(MemorySegment.ofBuffer(source), ANYWHERE.withOrder(source.order()));
  }

  /**
   * Copies the elements into memory, row by row, from its start on, in the byte order of this
   * machine.
   *
   * @param target of {@code 4 * rows * cols} bytes or more
   * @throws IllegalArgumentException if it has fewer, or is read-only
   * @throws IllegalStateException if its arena is closed
   * @throws WrongThreadException if it is not for this thread
   */
  public void copyTo(MemorySegment target) {
    copyTo(target, ANYWHERE);
  }

  /**
   * Copies the elements from memory, row by row, from its start on, in the byte order of this
   * machine.
   *
   * @param source of {@code 4 * rows * cols} bytes or more
   * @throws IllegalArgumentException if it has fewer
   * @throws IllegalStateException if its arena is closed
   * @throws WrongThreadException if it is not for this thread
   */
  public void copyFrom(MemorySegment source) {
    copyFrom(source, ANYWHERE);
  }

  private void copyTo(MemorySegment target, ValueLayout.OfFloat layout) {
    requireBytes(target);
    if (target.isReadOnly()) {
      throw new IllegalArgumentException("the target of " + shape() + " elements is read-only");
    }
    for (int i = 0; i < rows && cols > 0; i++) {
      MemorySegment.copy(data, rowIndex(i), target, layout, (long) i * cols * Float.BYTES, cols);
    }
  }

  private void copyFrom(MemorySegment source, ValueLayout.OfFloat layout) {
    requireBytes(source);
    for (int i = 0; i < rows && cols > 0; i++) {
      MemorySegment.copy(source, layout, (long) i * cols * Float.BYTES, data, rowIndex(i), cols);
    }
  }

  private void requireFloats(FloatBuffer buffer) {
    if (buffer.remaining() < (long) rows * cols) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the buffer has %d floats left but the matrix is %s (expected %d or more)",
              buffer.remaining(),
              shape(),
              (long) rows * cols));
    }
  }

  private void requireBytes(MemorySegment memory) {
    long bytes = (long) rows * cols * Float.BYTES;
    if (memory.byteSize() < bytes) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "there are %d bytes but the matrix is %s (expected %d or more, 4 an element)",
              memory.byteSize(),
              shape(),
              bytes));
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

  /** Kind, shape, and the first rows and columns. */
  @Override
  public String toString() {
    return Preview.of("FloatMatrix", rows, cols, this::get);
  }
}
