package dev.switchyard.kernels.backend.x86;

/** The parameters of a tile; see {@link TileGenerator}. Names are offsets in bytes. */
final class TileArguments extends Arguments {
  /** Groups of k. */
  static final int GROUPS = 0;

  static final int A_OFFSET = 8;
  static final int A_STRIDE = 16;
  static final int B_OFFSET = 24;
  static final int C_OFFSET = 32;
  static final int C_STRIDE = 40;

  /** Tiles left to do: the code counts it down. */
  static final int TILES = 48;

  /** One of the modes below. */
  static final int MODE = 56;

  /** What to bring into L2 for the next call, counted from the start of B. */
  static final int AHEAD_OFFSET = 64;

  /** Room for a number of the code. */
  static final int SPILL = 72;

  /** The columns to store, see {@link #firstLanes}. */
  static final int COLUMNS = 80;

  /** Where the values of the first row stand, counted from the start of the arguments. */
  static final int ROW = 88;

  /** Room for the address of the first tile of C. */
  static final int FIRST_C = 96;

  /** A float a column of the panel. */
  static final int COLUMN_SCALES = 128;

  static final int BIAS = 256;

  /** Ints, for masks that are vectors. */
  static final int LANES = 384;

  /** A float a row of the block, and as many ints. */
  static final int ROW_SCALES = 512;

  static final int MAX_ROWS = 1024;
  static final int ROW_CORRECTIONS = ROW_SCALES + MAX_ROWS * Float.BYTES;

  static final int STORE = 0;
  static final int ACCUMULATE = 1;

  /** Added to the mode: store the int32 sums of an integer product as they are. */
  static final int INTEGERS = 2;

  TileArguments(InstructionSet set) {
    super(ROW_CORRECTIONS + MAX_ROWS * Integer.BYTES);
    if (!set.hasEvex()) {
      setLaneTable(LANES, set.panelCols());
    }
  }

  /** Selects the first columns of the panel. */
  void setColumns(int cols, InstructionSet set) {
    set(COLUMNS, firstLanes(set, LANES, set.panelCols(), cols));
  }
}
