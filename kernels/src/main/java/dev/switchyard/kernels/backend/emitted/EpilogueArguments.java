package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.data.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * What the epilogue of a tile reads beside its sums: scales and corrections of rows, scales and
 * biases of columns. One object a workspace.
 */
final class EpilogueArguments {
  /** Bytes of B are so much more than they are where a dot instruction takes them unsigned. */
  private static final int BIAS_OF_RIGHT = 128;

  private final TileArguments tile;
  private final RegisterTileArguments registerTile;

  /** Values of the columns of a panel, on their way to the arguments. */
  private final float[] columns;

  private final float[] noBias;
  private boolean biasIsZero;
  private int[] sums = {};

  EpilogueArguments(Target target, TileArguments tile, RegisterTileArguments registerTile) {
    this.tile = tile;
    this.registerTile = registerTile;
    columns = new float[target.panelCols()];
    noBias = new float[target.panelCols()];
  }

  /** Some rows of a product, of a block. */
  void setRows(Product p, Dot dot, int row, int rows) {
    if (!dot.isInteger()) {
      return;
    }
    QuantizedMatrix a = (QuantizedMatrix) p.a();
    for (int i = 0; i < rows; i++) {
      tile.setFloat(TileArguments.ROW_SCALES, i, p.rowScale(row + i));
      if (!p.transposesA()) {
        tile.setInt(TileArguments.ROW_CORRECTIONS, i, -BIAS_OF_RIGHT * a.rowSums()[row + i]);
      }
    }
    if (p.transposesA() && dot.isBiased()) {
      correctTransposed(a, row, rows);
    }
  }

  /** The corrections of rows of the product that are columns of the operand. */
  private void correctTransposed(QuantizedMatrix a, int col, int cols) {
    if (sums.length < cols) {
      sums = new int[TileArguments.MAX_ROWS];
    }
    Arrays.fill(sums, 0, cols, 0);
    byte[] data = a.data();
    for (int i = 0; i < a.rows(); i++) {
      int from = i * a.rowStride() + col;
      for (int j = 0; j < cols; j++) {
        sums[j] += data[from + j];
      }
    }
    for (int j = 0; j < cols; j++) {
      tile.setInt(TileArguments.ROW_CORRECTIONS, j, -BIAS_OF_RIGHT * sums[j]);
    }
  }

  /** The columns of a panel; the bias is null where it is not due. */
  void setColumns(Product p, int col, int cols, float[] bias) {
    if (p.isInt8()) {
      p.b().copyScales(col, col + cols, columns);
      MemorySegment.copy(
          columns, 0, tile.memory, ValueLayout.JAVA_FLOAT, TileArguments.COLUMN_SCALES, cols);
    }
    if (bias != null) {
      biasIsZero = false; // before anything is written: what follows can fail half-way
      MemorySegment.copy(bias, col, tile.memory, ValueLayout.JAVA_FLOAT, TileArguments.BIAS, cols);
    } else if (!biasIsZero) {
      MemorySegment.copy(
          noBias, 0, tile.memory, ValueLayout.JAVA_FLOAT, TileArguments.BIAS, noBias.length);
      biasIsZero = true;
    }
  }

  /** Gives a call on tile registers some of the rows that were set. */
  void setRegisterRows(int from, int rows) {
    long bytes = (long) rows * Float.BYTES;
    long skipped = (long) from * Float.BYTES;
    MemorySegment.copy(
        tile.memory,
        TileArguments.ROW_SCALES + skipped,
        registerTile.memory,
        RegisterTileArguments.ROW_SCALES,
        bytes);
    MemorySegment.copy(
        tile.memory,
        TileArguments.ROW_CORRECTIONS + skipped,
        registerTile.memory,
        RegisterTileArguments.ROW_CORRECTIONS,
        bytes);
  }

  /** Gives it the columns of its panels. */
  void setRegisterColumns(Product p, int begin, int end, float[] bias) {
    for (int col = begin, at = RegisterTileArguments.COLUMNS; col < end; col += columns.length) {
      int cols = Math.min(columns.length, end - col);
      if (p.isInt8()) {
        p.b().copyScales(col, col + cols, columns);
        MemorySegment.copy(columns, 0, registerTile.memory, ValueLayout.JAVA_FLOAT, at, cols);
      }
      MemorySegment.copy(
          bias == null ? noBias : bias,
          bias == null ? 0 : col,
          registerTile.memory,
          ValueLayout.JAVA_FLOAT,
          (long) at + RegisterTileArguments.PANEL_BYTES,
          cols);
      at += RegisterTileArguments.COLUMNS_BYTES;
    }
  }
}
