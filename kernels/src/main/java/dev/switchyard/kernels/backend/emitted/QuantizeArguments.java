package dev.switchyard.kernels.backend.emitted;

import java.lang.foreign.ValueLayout;

/** The parameters of quantization; see {@link Emitter#quantize}. Names are offsets in bytes. */
public final class QuantizeArguments extends Arguments {
  /** Vectors a turn: their bytes fill one. */
  public static final int VECTORS = 4;

  public static final int X_OFFSET = 0;
  public static final int X_STRIDE = 8;
  public static final int Q_OFFSET = 16;
  public static final int Q_STRIDE = 24;
  public static final int ROWS = 32;

  /** Turns of four whole vectors in a row. */
  public static final int TURNS = 40;

  /** Whether a part of a turn is left at the end of a row: 1 or 0. */
  public static final int REST = 48;

  /** The elements of that part, see {@link #firstLanes}. */
  public static final int ELEMENTS = 56;

  /** Floats: what to multiply with where that is given; 127 and 1. */
  public static final int INVERSE = 64;

  public static final int LEVELS = 68;
  public static final int ONE = 72;

  /** The bits of a float but for its sign. */
  public static final int MAGNITUDE = 76;

  /** The places of 32-bit elements that undo the order of packing. */
  public static final int ORDER = 128;

  /** Ints, for masks that are vectors. */
  public static final int LANES = 192;

  /** Two times four ints a row, all four the same: the bits of the absmax, the sum. */
  public static final int RESULTS = 448;

  public static final int MAX_ROWS = 256;
  public static final int RESULT_BYTES = 32;
  private static final int SUM = 16;

  private final Target target;
  private final int elementsATurn;

  QuantizeArguments(Target target) {
    super(RESULTS + MAX_ROWS * RESULT_BYTES);
    this.target = target;
    elementsATurn = VECTORS * target.lanes();
    setFloat(LEVELS, 0, 127);
    setFloat(ONE, 0, 1);
    setInt(MAGNITUDE, 0, 0x7fff_ffff);
    int parts = target.lanes() / 4; // of 128 bits
    for (int i = 0; i < target.lanes(); i++) {
      setInt(ORDER, i, i % parts * 4 + i / parts);
    }
    if (!target.hasMasks()) {
      setLaneTable(LANES, VECTORS * target.lanes());
    }
  }

  /** Rows of this many columns. */
  void setCols(int cols) {
    int rest = cols % elementsATurn;
    set(TURNS, cols / elementsATurn);
    set(REST, rest > 0 ? 1 : 0);
    set(ELEMENTS, firstLanes(target, LANES, elementsATurn, rest));
  }

  int absMaxBits(int row) {
    return memory.get(ValueLayout.JAVA_INT, RESULTS + (long) row * RESULT_BYTES);
  }

  int sum(int row) {
    return memory.get(ValueLayout.JAVA_INT, RESULTS + (long) row * RESULT_BYTES + SUM);
  }
}
