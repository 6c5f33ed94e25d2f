package dev.switchyard.kernels.data;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * An int8 matrix with its scales: {@code value(i, j) = scale * q(i, j)}, q in [-127, 127], one
 * scale a row, a column, or for all. Rows start at multiples of 64 bytes; the padding is zero.
 *
 * <p>A buffer that quantization fills and may fill again: its storage grows when needed and is kept
 * otherwise. While it is being filled, and after a fill that failed, products, {@link #get} and
 * {@link #scale} refuse it with an {@link IllegalStateException}. One thread may fill it, any
 * number may read it afterwards.
 */
public final class QuantizedMatrix implements Matrix {
  private static final int ROW_ALIGNMENT = 64;

  private final Scaling scaling;
  private int rows;
  private int cols;
  private int rowStride;
  private byte[] data = {};
  private float[] scales = {};
  private int[] rowSums = {};
  private boolean filled;

  /**
   * An empty buffer.
   *
   * @param scaling which elements share a scale
   */
  public QuantizedMatrix(Scaling scaling) {
    this.scaling = Objects.requireNonNull(scaling, "scaling");
  }

  /**
   * Gives the buffer a shape and marks it as being filled. For those who write the int8 values
   * themselves; {@code Kernels.quantize} calls it.
   *
   * @param newRows number of rows
   * @param newCols number of columns
   * @throws IllegalArgumentException if a Java array cannot hold the matrix
   */
  public void beginFill(int newRows, int newCols) {
    int newStride = (int) Math.min(Integer.MAX_VALUE, alignUp(newCols));
    int elements = Bounds.elements("quantized matrix", newRows, newCols, newStride);
    int scaleCount = scaling.scales(newRows, newCols);
    // Without columns there are still row sums, and without rows scales.
    Bounds.checkElements("quantized matrix", newRows, newCols, Math.max(newRows, scaleCount));
    filled = false; // first: after an error too, nobody reads what was there before
    boolean grows = data.length < elements;
    byte[] newData = grows ? new byte[elements] : data;
    float[] newScales = scales.length < scaleCount ? new float[scaleCount] : scales;
    int[] newRowSums = rowSums.length < newRows ? new int[newRows] : rowSums;
    if (!grows && (newStride != rowStride || newCols < cols)) {
      Arrays.fill(newData, (byte) 0); // the padding of the new shape
    }
    data = newData;
    scales = newScales;
    rowSums = newRowSums;
    rows = newRows;
    cols = newCols;
    rowStride = newStride;
  }

  /** Marks the buffer as filled: values, scales and row sums are in place. */
  public void endFill() {
    filled = true;
  }

  private static long alignUp(int cols) {
    return (cols + (long) ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
  }

  /**
   * Checks that the values may be read.
   *
   * @throws IllegalStateException if the last fill did not end
   */
  public void requireFilled() {
    if (!filled) {
      throw new IllegalStateException(
          "quantized matrix "
              + shape()
              + " holds no values: it was never filled, or the fill failed");
    }
  }

  /**
   * Reads one int8 value.
   *
   * @param row its row
   * @param col its column
   * @return the value, -127 to 127
   * @throws IndexOutOfBoundsException if there is no such element
   * @throws IllegalStateException if the matrix was not filled
   */
  public byte get(int row, int col) {
    requireFilled();
    Bounds.checkElement(row, col, rows, cols);
    return data[row * rowStride + col];
  }

  /**
   * The scale of one element.
   *
   * @param row its row
   * @param col its column
   * @return the scale; 0 where all that share it are zero, NaN where a non-finite value propagates
   * @throws IndexOutOfBoundsException if there is no such element
   * @throws IllegalStateException if the matrix was not filled
   */
  public float scale(int row, int col) {
    requireFilled();
    Bounds.checkElement(row, col, rows, cols);
    return switch (scaling) {
      case ROW -> scales[row];
      case COLUMN -> scales[col];
      case TENSOR -> scales[0];
    };
  }

  /** Kind, scaling, shape, and the first int8 values; or that there are none. */
  @Override
  public String toString() {
    String what = "QuantizedMatrix by " + scaling.name().toLowerCase(Locale.ROOT);
    return filled ? Preview.of(what, rows, cols, this::get) : what + " without values";
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int cols() {
    return cols;
  }

  @Override
  public int offset() {
    return 0;
  }

  @Override
  public int rowStride() {
    return rowStride;
  }

  /**
   * Which elements share a scale.
   *
   * @return the scaling
   */
  public Scaling scaling() {
    return scaling;
  }

  /**
   * The int8 values, not copied; the array may be longer than the matrix.
   *
   * @return the array, row-major with {@link #rowStride()}
   */
  public byte[] data() {
    return data;
  }

  /**
   * The scales, not copied; the array may be longer than their number.
   *
   * @return the array
   */
  public float[] scales() {
    return scales;
  }

  /**
   * The sum of the int8 values of each row, not copied; the array may be longer than the rows.
   *
   * @return the array
   */
  public int[] rowSums() {
    return rowSums;
  }
}
