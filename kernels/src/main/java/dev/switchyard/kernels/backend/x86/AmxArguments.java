package dev.switchyard.kernels.backend.x86;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** The parameters of products on tile registers; see {@link AmxGenerator}. Offsets in bytes. */
final class AmxArguments extends Arguments {
  /** Steps of 16 groups of k. */
  static final int STEPS = 0;

  static final int A_OFFSET = 8;
  static final int A_STRIDE = 16;

  /** From the first row of A to row 16. */
  static final int SECOND_A = 24;

  static final int B_OFFSET = 32;

  /** From panel to panel. */
  static final int NEXT_B = 40;

  static final int C_OFFSET = 48;
  static final int C_STRIDE = 56;

  /** Panels left to do: the code counts it down. */
  static final int PANELS = 64;

  /** As in {@link TileArguments}. */
  static final int MODE = 72;

  /** Rows of the tile. */
  static final int ROWS = 80;

  /** The columns of the last panel to store, 16 bits a vector; and those of the others. */
  static final int LAST_MASKS = 88;

  static final int MASKS = 96;

  /** Room for the address of the tile of A. */
  static final int TILE = 104;

  /** The shapes of the registers. */
  static final int SHAPES = 128;

  /** A float a row, and as many ints. */
  static final int ROW_SCALES = SHAPES + AmxGenerator.SHAPES_BYTES;

  static final int ROW_CORRECTIONS = ROW_SCALES + 2 * AmxGenerator.HALF * Float.BYTES;

  /** Room for the sums of a tile: 32 rows of a panel. */
  static final int SUMS = ROW_CORRECTIONS + 2 * AmxGenerator.HALF * Integer.BYTES;

  /** For each panel a scale a column, then a bias a column. */
  static final int COLUMNS = SUMS + 2 * AmxGenerator.HALF * AmxGenerator.PANEL_BYTES;

  static final int COLUMNS_BYTES = 2 * AmxGenerator.PANEL_BYTES;

  /** Most panels of a call. */
  static final int MAX_PANELS = 32;

  /** The shapes for tiles of so many rows. */
  private static final byte[][] SHAPES_OF_ROWS = new byte[2 * AmxGenerator.HALF + 1][];

  static {
    Arrays.setAll(SHAPES_OF_ROWS, AmxGenerator::shapes);
  }

  AmxArguments() {
    super(COLUMNS + MAX_PANELS * COLUMNS_BYTES);
  }

  /** Gives the tile registers the shapes for a tile of so many rows. */
  void setRows(int rows) {
    set(ROWS, rows);
    setShapes(memory, SHAPES, rows);
  }

  static void setShapes(MemorySegment memory, long at, int rows) {
    MemorySegment.copy(
        SHAPES_OF_ROWS[rows], 0, memory, ValueLayout.JAVA_BYTE, at, AmxGenerator.SHAPES_BYTES);
  }

  /** Whether the mode is one that adds to C. */
  boolean accumulates() {
    return (get(MODE) & TileArguments.ACCUMULATE) != 0;
  }

  /** Selects the first columns of the last panel, and all of the others. */
  void setLastColumns(int cols) {
    set(LAST_MASKS, (1L << cols) - 1);
    set(MASKS, -1);
  }
}
