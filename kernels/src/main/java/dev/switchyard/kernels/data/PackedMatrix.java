package dev.switchyard.kernels.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The right-hand operand of a product, rearranged by a backend for its kernels: panels of {@link
 * #panelCols()} columns of the k x n operand, in an array or in native memory as the backend
 * prefers, and in an order that is its own. A weight packed once serves any number of products.
 *
 * <p>A buffer that packing fills and may fill again; storage is kept when it is large enough. While
 * it is being packed, and after a packing that failed, products refuse it with an {@link
 * IllegalStateException}. One thread may pack it, any number may use it afterwards.
 */
public final class PackedMatrix {
  private static final float[] UNIT_SCALE = {1};

  /** Vectors of a panel then never lie across two cache lines. */
  private static final int ALIGNMENT = 64;

  private ElementType type;
  private Form form;
  private String backend;
  private int inner;
  private int cols;
  private int panelCols;
  private float[] array = {};
  private MemorySegment memory = MemorySegment.NULL;
  private float[] scales = {};
  private boolean scaledByColumn;
  private List<PackedMatrix> parts = List.of();
  private boolean filled;

  /** An empty buffer. */
  public PackedMatrix() {}

  /**
   * Gives the buffer its shape and marks it as being packed; {@code Kernels.pack} calls it before
   * the backend reserves and fills the panels.
   *
   * @param newBackend name of the backend whose layout this is
   * @param newType element type of the product
   * @param newForm form of the product
   * @param b the operand as it is stored; the scales of an INT8 operand are those of its columns
   * @param newPanelCols columns of a panel
   */
  public void reshape(
      String newBackend, ElementType newType, Form newForm, Matrix b, int newPanelCols) {
    filled = false; // first: after an error too, nobody reads what was there before
    int newInner = newForm.innerOfRight(b);
    int newCols = newForm.resultCols(b);
    boolean byColumn = false;
    float[] source = UNIT_SCALE;
    if (newType == ElementType.INT8 && b instanceof QuantizedMatrix q) {
      byColumn = q.scaling() != Scaling.TENSOR;
      source = q.scales();
    }
    int scaleCount = byColumn ? newCols : 1;
    float[] newScales = scales.length < scaleCount ? new float[scaleCount] : scales;
    parts = List.of();
    System.arraycopy(source, 0, newScales, 0, scaleCount);
    scales = newScales;
    backend = newBackend;
    type = newType;
    form = newForm;
    inner = newInner;
    cols = newCols;
    panelCols = newPanelCols;
    scaledByColumn = byColumn;
  }

  /**
   * Cuts the inner dimension into parts that are packed and multiplied one after the other, since
   * one int32 sum could not hold it all. This matrix then has no panels of its own.
   *
   * @param count how many, at least 2
   * @return the parts, to be packed
   */
  public List<PackedMatrix> split(int count) {
    parts = Stream.generate(PackedMatrix::new).limit(count).toList();
    return parts;
  }

  /**
   * The parts of the inner dimension, in order.
   *
   * @return none unless it was {@link #split}
   */
  public List<PackedMatrix> parts() {
    return parts;
  }

  /** Marks the buffer as packed: panels and scales are in place. */
  public void endFill() {
    filled = true;
  }

  /**
   * Checks that the panels may be used.
   *
   * @throws IllegalStateException if nothing was packed, or the last packing did not end
   */
  public void requireFilled() {
    requireShape();
    if (!filled) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT, "packed matrix %dx%d holds no values: packing failed", inner, cols));
    }
  }

  private void requireShape() {
    if (type == null) {
      throw new IllegalStateException("packed matrix is empty: pack an operand into it first");
    }
  }

  /**
   * The element type of the product.
   *
   * @return the type
   * @throws IllegalStateException if nothing was packed
   */
  public ElementType type() {
    requireShape();
    return type;
  }

  /**
   * The form of the product.
   *
   * @return the form
   */
  public Form form() {
    return form;
  }

  /**
   * The backend whose layout this is.
   *
   * @return its name
   */
  public String backend() {
    return backend;
  }

  /**
   * The length of the inner dimension.
   *
   * @return k
   */
  public int inner() {
    return inner;
  }

  /**
   * The columns of the product.
   *
   * @return n
   */
  public int cols() {
    return cols;
  }

  /**
   * The columns of a panel.
   *
   * @return how many, fixed by the backend
   */
  public int panelCols() {
    return panelCols;
  }

  /**
   * The number of panels, the last of which may be padded.
   *
   * @return how many
   */
  public int panelCount() {
    return (int) ((cols + (long) panelCols - 1) / panelCols);
  }

  /**
   * An array for the panels, for backends that want one: kept while it is large enough.
   *
   * @return the array, at least {@code panelCount * inner * panelCols} long
   * @throws IllegalArgumentException if a Java array cannot hold the panels
   */
  public float[] reserveArray() {
    int elements = Bounds.elements("packed matrix", inner, cols, (long) panelCount() * panelCols);
    if (array.length < elements) {
      array = new float[elements];
    }
    return array;
  }

  /**
   * The array of the panels, not copied.
   *
   * @return the array
   */
  public float[] array() {
    return array;
  }

  /**
   * Native memory for the panels, for backends that want it: kept while it is large enough, freed
   * when this matrix is no longer in use.
   *
   * @param bytes how much, at least
   * @return the memory
   */
  public MemorySegment reserveMemory(long bytes) {
    if (memory.byteSize() < bytes) {
      memory = Arena.ofAuto().allocate(bytes, ALIGNMENT);
    }
    return memory;
  }

  /**
   * The native memory of the panels, not copied.
   *
   * @return the memory
   */
  public MemorySegment memory() {
    return memory;
  }

  /**
   * The scale of a column of an INT8 operand.
   *
   * @param col the column
   * @return its scale; 1 for other types
   */
  public float scale(int col) {
    return scales[scaledByColumn ? Objects.checkIndex(col, cols) : 0];
  }

  /**
   * Writes the scales of a run of columns.
   *
   * @param from first column
   * @param to column after the last
   * @param out receives them from index 0 on
   */
  public void copyScales(int from, int to, float[] out) {
    if (scaledByColumn) {
      System.arraycopy(scales, from, out, 0, to - from);
    } else {
      Arrays.fill(out, 0, to - from, scales[0]);
    }
  }

  /**
   * What the panels and scales take, with what is reserved beyond them.
   *
   * @return bytes
   */
  public long bytes() {
    return memory.byteSize()
        + (long) Float.BYTES * ((long) array.length + scales.length)
        + parts.stream().mapToLong(PackedMatrix::bytes).sum();
  }
}
