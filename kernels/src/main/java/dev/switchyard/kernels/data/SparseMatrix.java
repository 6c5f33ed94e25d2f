package dev.switchyard.kernels.data;

import java.util.Arrays;

/**
 * A matrix most of whose elements are zero: the values of each row that are not, from left to
 * right, one row after the other, and the columns they are in. It grows as it is filled and is
 * meant to be filled again. For use by one thread at a time.
 */
public final class SparseMatrix {
  private int rows;
  private int cols;
  private int[] ends = {}; // of each row's values
  private float[] values = {};
  private int[] columns = {};

  /** A matrix without rows. */
  public SparseMatrix() {}

  /**
   * Begins anew, with no row filled.
   *
   * @param newRows rows to come
   * @param newCols columns of each
   */
  public void beginFill(int newRows, int newCols) {
    rows = newRows;
    cols = newCols;
    if (ends.length < newRows) {
      ends = new int[newRows];
    }
    Arrays.fill(ends, 0, newRows, 0);
  }

  /**
   * Makes room for a full row behind those that are filled; {@link #endRow} says what was filled.
   *
   * @param row the row, after the one filled last
   * @return where its values begin
   */
  public int beginRow(int row) {
    int begin = begin(row);
    int size = begin + cols;
    if (values.length < size) {
      values = Arrays.copyOf(values, Math.max(size, 2 * values.length));
      columns = Arrays.copyOf(columns, values.length);
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
