package dev.switchyard.kernels.data;

import java.util.Arrays;
import java.util.Locale;

/**
 * A matrix most of whose elements are zero: the values of each row that are not, from left to
 * right, one row after the other, and the columns they are in. It grows as it is filled and is
 * meant to be filled again; while it is being filled, and after a fill that failed, products refuse
 * it with an {@link IllegalStateException}. For use by one thread at a time.
 */
public final class SparseMatrix {
  /** Values that an array can hold in every JVM. */
  private static final int MOST = Integer.MAX_VALUE - 8;

  private int rows;
  private int cols;
  private int[] ends = {}; // of each row's values
  private float[] values = {};
  private int[] columns = {};
  private boolean filled = true;

  /** A matrix without rows. */
  public SparseMatrix() {}

  /**
   * Begins anew, with no row filled.
   *
   * @param newRows rows to come
   * @param newCols columns of each
   */
  public void beginFill(int newRows, int newCols) {
    filled = false; // first: after an error too, nobody reads what was there before
    int[] newEnds = ends.length < newRows ? new int[newRows] : ends;
    Arrays.fill(newEnds, 0, newRows, 0);
    ends = newEnds;
    rows = newRows;
    cols = newCols;
  }

  /**
   * Makes room for a full row behind those that are filled; {@link #endRow} says what was filled.
   *
   * @param row the row, after the one filled last
   * @return where its values begin
   * @throws IllegalStateException if a full row would lie beyond what an array can hold
   */
  public int beginRow(int row) {
    int begin = begin(row);
    long size = (long) begin + cols;
    if (size > MOST) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "row %d of a sparse matrix may end at value %d (expected at most %d in all)",
              row,
              size,
              MOST));
    }
    if (values.length < size) {
      int newSize = (int) Math.clamp(2L * values.length, size, MOST);
      int[] newColumns = Arrays.copyOf(columns, newSize);
      values = Arrays.copyOf(values, newSize);
      columns = newColumns;
    }
    return begin;
  }

  /**
   * Ends a row.
   *
   * @param row the row
   * @param end where its values end
   */
  public void endRow(int row, int end) {
    ends[row] = end;
  }

  /** Marks the matrix as filled: all rows have ended. */
  public void endFill() {
    filled = true;
  }

  /**
   * Checks that the values may be read.
   *
   * @throws IllegalStateException if the last fill did not end
   */
  public void requireFilled() {
    if (!filled) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT, "sparse matrix %dx%d holds no values: the fill failed", rows, cols));
    }
  }

  /**
   * The number of rows.
   *
   * @return the rows
   */
  public int rows() {
    return rows;
  }

  /**
   * The number of columns.
   *
   * @return the columns
   */
  public int cols() {
    return cols;
  }

  /**
   * Where the values of a row begin.
   *
   * @param row from 0
   * @return an index of {@link #values} and {@link #columns}
   */
  public int begin(int row) {
    return row == 0 ? 0 : ends[row - 1];
  }

  /**
   * Where the values of a row end.
   *
   * @param row from 0
   * @return an index of {@link #values} and {@link #columns}, after the last
   */
  public int end(int row) {
    return ends[row];
  }

  /**
   * The values of all rows.
   *
   * @return the array itself, until a row is begun
   */
  public float[] values() {
    return values;
  }

  /**
   * The column of each value.
   *
   * @return the array itself, until a row is begun
   */
  public int[] columns() {
    return columns;
  }
}
