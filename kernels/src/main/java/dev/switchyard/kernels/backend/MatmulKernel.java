package dev.switchyard.kernels.backend;

import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;

/** Packing and multiplying of blocks that lie within their matrices. */
public interface MatmulKernel {
  /** Columns of a panel of the packed operand. */
  int panelCols();

  /** Rows of the register tile: blocks of this many rows waste nothing. */
  int tileRows();

  /** Makes room for the panels of {@code out}, whose shape is set. */
  void reserve(PackedMatrix out);

  /**
   * Packs some rows of the right operand as it is stored into the panels of {@code out}, whose room
   * is made. There are columns. {@code rowBegin} is a multiple of {@link #panelCols()}, and so is
   * {@code rowEnd} unless it is the last row.
   */
  void pack(Matrix b, int rowBegin, int rowEnd, PackedMatrix out);

  /**
   * Computes rows {@code rowBegin} to {@code rowEnd - 1} of the panels {@code panelBegin} to {@code
   * panelEnd - 1} of C.
   */
  void multiply(Product product, int rowBegin, int rowEnd, int panelBegin, int panelEnd);
}
