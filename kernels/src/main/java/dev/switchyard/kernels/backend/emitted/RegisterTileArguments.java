package dev.switchyard.kernels.backend.emitted;

/**
 * The parameters of products on tile registers; see {@link Emitter#registerTile}. Offsets in bytes.
 */
public final class RegisterTileArguments extends Arguments {
  /** Rows of a tile register. */
  public static final int HALF = 16;

  /** Groups of k in a row of a tile register. */
  public static final int STEP = 16;

  /** Bytes of a row of a tile register. */
  public static final int ROW_BYTES = 64;

  /** Packed A: two steps of 16 rows. */
  public static final int PAIR_BYTES = 2 * HALF * ROW_BYTES;

  /** Bytes of the shapes of all tile registers. */
  public static final int SHAPES_BYTES = 64;

  /** Bytes of a group of a panel, and of a row of sums. */
  public static final int PANEL_BYTES = 128;

  /** Steps of 16 groups of k. */
  public static final int STEPS = 0;

  public static final int A_OFFSET = 8;
  public static final int A_STRIDE = 16;

  /** From the first row of A to row 16. */
  public static final int SECOND_A = 24;

  public static final int B_OFFSET = 32;

  /** From panel to panel. */
  public static final int NEXT_B = 40;

  public static final int C_OFFSET = 48;
  public static final int C_STRIDE = 56;

  /** Panels left to do: the code counts it down. */
  public static final int PANELS = 64;

  /** As in {@link TileArguments}. */
  public static final int MODE = 72;

  /** Rows of the tile. */
  public static final int ROWS = 80;

  /** The columns of the last panel to store, 16 bits a vector; and those of the others. */
  public static final int LAST_MASKS = 88;

  public static final int MASKS = 96;

  /** Room for the address of the tile of A. */
  public static final int TILE = 104;

  /** The shapes of the registers. */
  public static final int SHAPES = 128;

  /** A float a row, and as many ints. */
  public static final int ROW_SCALES = SHAPES + SHAPES_BYTES;

  public static final int ROW_CORRECTIONS = ROW_SCALES + 2 * HALF * Float.BYTES;

  /** Room for the sums of a tile: 32 rows of a panel. */
  public static final int SUMS = ROW_CORRECTIONS + 2 * HALF * Integer.BYTES;

  /** For each panel a scale a column, then a bias a column. */
  public static final int COLUMNS = SUMS + 2 * HALF * PANEL_BYTES;

  public static final int COLUMNS_BYTES = 2 * PANEL_BYTES;

  /** Most panels of a call. */
  public static final int MAX_PANELS = 32;

  private final Target target;

  RegisterTileArguments(Target target) {
    super(COLUMNS + MAX_PANELS * COLUMNS_BYTES);
    this.target = target;
  }

  /** Gives the tile registers the shapes for a tile of so many rows. */
  void setRows(int rows) {
    set(ROWS, rows);
    setBytes(SHAPES, target.shapes(rows));
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
