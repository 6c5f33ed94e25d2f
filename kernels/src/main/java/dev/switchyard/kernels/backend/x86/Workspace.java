package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.data.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** What the kernels of a call write for emitted code, and where its block of A lies. */
final class Workspace {
  private static final int ALIGNMENT = 64;

  final TileArguments tile;
  final AmxArguments amx = new AmxArguments();
  final PackArguments pack = new PackArguments();
  final Region region = new Region();

  /** Values of the columns of a panel, on their way to the arguments. */
  final float[] columns;

  private final float[] noBias;

  final HeapSegment result = new HeapSegment();

  private final HeapSegment ofUnrounded = new HeapSegment();
  private final HeapSegment ofRounded = new HeapSegment();
  private float[] unrounded = {};
  private short[] rounded = {};

  private MemorySegment packed = MemorySegment.NULL;
  private MemorySegment left;
  private long leftOffset;
  private long leftStride;
  private boolean biasIsZero;
  private int[] sums = {};

  Workspace(InstructionSet set) {
    tile = new TileArguments(set);
    columns = new float[set.panelCols()];
    noBias = new float[set.panelCols()];
  }

  // The block of A

  /** Memory to pack a block of A into. */
  MemorySegment reservePacked(long bytes) {
    if (packed.byteSize() < bytes) {
      packed = Arena.ofAuto().allocate(bytes, ALIGNMENT);
    }
    return packed;
  }

  /** The block is where the region is. */
  void useRegion() {
    left = region.segment();
    leftOffset = region.offset();
    leftStride = region.stride();
  }

  /** The block is in the memory reserved. */
  void usePacked(long stride) {
    left = packed;
    leftOffset = 0;
    leftStride = stride;
  }

  MemorySegment left() {
    return left;
  }

  long leftOffset() {
    return leftOffset;
  }

  long leftStride() {
    return leftStride;
  }

  /** Lets go of the caller's arrays. */
  void clear() {
    left = null;
    region.clear();
  }

  // A result that is rounded to bfloat16, one panel of it

  /** Memory for so many floats. */
  MemorySegment reserveUnrounded(int size) {
    if (unrounded.length < size) {
      float[] newUnrounded = new float[size];
      rounded = new short[size];
      unrounded = newUnrounded; // last: its length stands for both
    }
    return ofUnrounded.of(unrounded);
  }

  float[] unrounded() {
    return unrounded;
  }

  short[] rounded() {
    return rounded;
  }

  /** The segment of {@link #rounded}. */
  MemorySegment ofRounded() {
    return ofRounded.of(rounded);
  }

  // Values of rows and columns

  /** Writes the first of {@link #columns} to the scales of the panel. */
  void setColumnScales(int cols) {
    MemorySegment.copy(
        columns, 0, tile.memory, ValueLayout.JAVA_FLOAT, TileArguments.COLUMN_SCALES, cols);
  }

  /** Writes the bias of the panel, or zeros for null. */
  void setBias(float[] bias, int col, int cols) {
    if (bias != null) {
      biasIsZero = false; // before anything is written: what follows can fail half-way
      MemorySegment.copy(bias, col, tile.memory, ValueLayout.JAVA_FLOAT, TileArguments.BIAS, cols);
    } else if (!biasIsZero) {
      MemorySegment.copy(
          noBias, 0, tile.memory, ValueLayout.JAVA_FLOAT, TileArguments.BIAS, noBias.length);
      biasIsZero = true;
    }
  }

  /**
   * Gives a call on tile registers the values of some rows of the block, which {@link #tile} has.
   */
  void setAmxRows(int from, int rows) {
    long bytes = (long) rows * Float.BYTES;
    long skipped = (long) from * Float.BYTES;
    MemorySegment.copy(
        tile.memory,
        TileArguments.ROW_SCALES + skipped,
        amx.memory,
        AmxArguments.ROW_SCALES,
        bytes);
    MemorySegment.copy(
        tile.memory,
        TileArguments.ROW_CORRECTIONS + skipped,
        amx.memory,
        AmxArguments.ROW_CORRECTIONS,
        bytes);
  }

  /** Gives it those of the columns of its panels. */
  void setAmxColumns(Product p, int begin, int end, float[] bias) {
    for (int col = begin, at = AmxArguments.COLUMNS; col < end; col += columns.length) {
      int cols = Math.min(columns.length, end - col);
      if (p.isInt8()) {
        p.b().copyScales(col, col + cols, columns);
        MemorySegment.copy(columns, 0, amx.memory, ValueLayout.JAVA_FLOAT, at, cols);
      }
      MemorySegment.copy(
          bias == null ? noBias : bias,
          bias == null ? 0 : col,
          amx.memory,
          ValueLayout.JAVA_FLOAT,
          (long) at + AmxGenerator.PANEL_BYTES,
          cols);
      at += AmxArguments.COLUMNS_BYTES;
    }
  }

  /** The corrections of rows of the product that are columns of the operand. */
  void correctTransposed(QuantizedMatrix a, int col, int cols, int bias) {
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
      tile.setInt(TileArguments.ROW_CORRECTIONS, j, -bias * sums[j]);
    }
  }
}
