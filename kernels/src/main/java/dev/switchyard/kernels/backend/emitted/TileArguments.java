package dev.switchyard.kernels.backend.emitted;

/** The parameters of a tile; see {@link Emitter#tile}. Names are offsets in bytes. */
public final class TileArguments extends Arguments {
  /** Groups of k. */
  public static final int GROUPS = 0;

  public static final int A_OFFSET = 8;
  public static final int A_STRIDE = 16;
  public static final int B_OFFSET = 24;
  public static final int C_OFFSET = 32;
  public static final int C_STRIDE = 40;

  /** Tiles left to do: the code counts it down. */
  public static final int TILES = 48;

  /** One of the modes below. */
  public static final int MODE = 56;

  /** What to bring into L2 for the next call, counted from the start of B. */
  public static final int AHEAD_OFFSET = 64;

  /** Room for a number of the code. */
  public static final int SPILL = 72;

  /** The columns to store, see {@link #firstLanes}. */
  public static final int COLUMNS = 80;

  /** Where the values of the first row stand, counted from the start of the arguments. */
  public static final int ROW = 88;

  /** Room for the address of the first tile of C. */
  public static final int FIRST_C = 96;

  /** A float a column of the panel. */
  public static final int COLUMN_SCALES = 128;

  public static final int BIAS = 256;

  /** Ints, for masks that are vectors. */
  public static final int LANES = 384;

  /** A float a row of the block, and as many ints. */
  public static final int ROW_SCALES = 512;

  public static final int MAX_ROWS = 1024;
  public static final int ROW_CORRECTIONS = ROW_SCALES + MAX_ROWS * Float.BYTES;

  public static final int STORE = 0;
  public static final int ACCUMULATE = 1;

  /** Added to the mode: store the int32 sums of an integer product as they are. */
  public static final int INTEGERS = 2;

  private final Target target;
  private final int panelCols;

  TileArguments(Target target) {
    super(ROW_CORRECTIONS + MAX_ROWS * Integer.BYTES);
    this.target = target;
    panelCols = target.panelCols();
    if (!target.hasMasks()) {
      setLaneTable(LANES, target.panelCols());
    }
  }

  /** Selects the first columns of the panel. */
  void setColumns(int cols) {
    set(COLUMNS, firstLanes(target, LANES, panelCols, cols));
  }
}
