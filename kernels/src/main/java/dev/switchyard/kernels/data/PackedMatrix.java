package dev.switchyard.kernels.data;

import java.util.Arrays;
import java.util.Objects;

/**
 * The right-hand operand of a product, rearranged by a backend for its kernels: panels of {@link
 * #panelCols()} columns of the k x n operand, each panel row by row, columns past n filled with
 * zeros. A weight packed once serves any number of products.
 *
 * <p>A buffer that packing fills and may fill again; storage is kept when it is large enough. One
 * thread may pack it, any number may use it afterwards.
 */
public final class PackedMatrix {
  private static final float[] UNIT_SCALE = {1};

  private ElementType type;
  private Form form;
  private String backend;
  private int inner;
  private int cols;
  private int panelCols;
  private float[] panels = {};
  private float[] scales = {};
  private boolean scaledByColumn;

  /** An empty buffer. */
  public PackedMatrix() {}

  /**
   * Gives the buffer its shape; {@code Kernels.pack} calls it before it fills the panels.
   *
   * @param newBackend name of the backend whose layout this is
   * @param newType element type of the product
   * @param newForm form of the product
   * @param b the operand as it is stored; the scales of an INT8 operand are those of its columns
   * @param newPanelCols columns of a panel
   * @throws IllegalArgumentException if a Java array cannot hold the panels
   */
  public void reshape(
      String newBackend, ElementType newType, Form newForm, Matrix b, int newPanelCols) {
    int newInner = newForm.innerOfRight(b);
    int newCols = newForm.resultCols(b);
    int panelCount = (int) ((newCols + (long) newPanelCols - 1) / newPanelCols);
    long paddedCols = (long) panelCount * newPanelCols;
    int elements = Bounds.elements("packed matrix", newInner, newCols, paddedCols);
    boolean byColumn = false;
    float[] source = UNIT_SCALE;
    if (newType == ElementType.INT8 && b instanceof QuantizedMatrix q) {
      byColumn = q.scaling() != Scaling.TENSOR;
      source = q.scales();
    }
    if (panels.length < elements) {
      panels = new float[elements];
    }
    int scaleCount = byColumn ? newCols : 1;
    if (scales.length < scaleCount) {
      scales = new float[scaleCount];
    }
    System.arraycopy(source, 0, scales, 0, scaleCount);
    backend = newBackend;
    type = newType;
    form = newForm;
    inner = newInner;
    cols = newCols;
    panelCols = newPanelCols;
    scaledByColumn = byColumn;
  }

  /**
   * The element type of the product.
   *
   * @return the type
   * @throws IllegalStateException if nothing was packed
   */
  public ElementType type() {
    if (type == null) {
      throw new IllegalStateException("packed matrix is empty: pack an operand into it first");
    }
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
    return (cols + panelCols - 1) / panelCols;
  }

  /**
   * The panels, not copied: element (k, j) of the operand lies at {@code (j / panelCols * inner +
   * k) * panelCols + j % panelCols}.
   *
   * @return the array
   */
  public float[] panels() {
    return panels;
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
}
