package dev.switchyard.kernels.data;

import java.util.Locale;

/** The one place where views over arrays are checked. */
final class Bounds {
  /**
   * Where elements end at the latest. Kernels go on in steps of up to some hundred, so that an
   * index and a step together are always an int.
   */
  static final int MOST_ELEMENTS = Integer.MAX_VALUE - 1024;

  private Bounds() {}

  /**
   * Checks that a row-major view lies within its array.
   *
   * @throws IllegalArgumentException with the shape and the limit that was broken
   */
  static void checkView(String what, int length, int offset, int rows, int cols, int rowStride) {
    if (rows < 0 || cols < 0) {
      throw new IllegalArgumentException(
          what + " has shape " + rows + "x" + cols + " (expected 0 or more rows and columns)");
    }
    if (offset < 0) {
      throw new IllegalArgumentException(what + " has offset " + offset + " (expected 0 or more)");
    }
    if (rowStride < cols) {
      throw new IllegalArgumentException(
          what
              + " has row stride "
              + rowStride
              + " but "
              + cols
              + " columns (expected at least that)");
    }
    long end = rows == 0 || cols == 0 ? offset : offset + (rows - 1L) * rowStride + cols;
    if (end > length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s %dx%d at offset %d with row stride %d ends at %d, but its array has %d elements",
              what,
              rows,
              cols,
              offset,
              rowStride,
              end,
              length));
    }
    if (end > MOST_ELEMENTS) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s %dx%d at offset %d with row stride %d ends at %d (expected %d at most)",
              what,
              rows,
              cols,
              offset,
              rowStride,
              end,
              MOST_ELEMENTS));
    }
  }

  /**
   * Checks that a range lies within an extent.
   *
   * @throws IndexOutOfBoundsException if it does not
   */
  static void checkRange(String what, int from, int to, int extent) {
    if (from < 0 || from > to || to > extent) {
      throw new IndexOutOfBoundsException(
          what + " " + from + " to " + to + " are not within 0 to " + extent);
    }
  }

  /**
   * Checks that one element lies within a matrix.
   *
   * @throws IndexOutOfBoundsException if it does not
   */
  static void checkElement(int row, int col, int rows, int cols) {
    if (row < 0 || row >= rows || col < 0 || col >= cols) {
      throw new IndexOutOfBoundsException(
          "element (" + row + ", " + col + ") is not within " + rows + "x" + cols);
    }
  }

  /**
   * The number of elements of a matrix to allocate.
   *
   * @throws IllegalArgumentException if a Java array cannot hold them
   */
  static int elements(String what, int rows, int cols, long rowStride) {
    long elements = rows * rowStride;
    checkElements(what, rows, cols, elements);
    return (int) elements;
  }

  /**
   * Checks that an array of a matrix can be allocated.
   *
   * @throws IllegalArgumentException if a Java array cannot hold the elements
   */
  static void checkElements(String what, int rows, int cols, long elements) {
    if (rows < 0 || cols < 0 || elements > MOST_ELEMENTS) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s %dx%d needs %d elements (expected 0 to %d, what a Java array can hold)",
              what,
              rows,
              cols,
              elements,
              MOST_ELEMENTS));
    }
  }
}
