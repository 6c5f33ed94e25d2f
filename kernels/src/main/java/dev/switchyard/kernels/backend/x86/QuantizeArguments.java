package dev.switchyard.kernels.backend.x86;

import java.lang.foreign.ValueLayout;

/** The parameters of quantization; see {@link QuantizeGenerator}. Names are offsets in bytes. */
final class QuantizeArguments extends Arguments {
  static final int X_OFFSET = 0;
  static final int X_STRIDE = 8;
  static final int Q_OFFSET = 16;
  static final int Q_STRIDE = 24;
  static final int ROWS = 32;

  /** Turns of four whole vectors in a row. */
  static final int TURNS = 40;

  /** Whether a part of a turn is left at the end of a row: 1 or 0. */
  static final int REST = 48;

  /** The elements of that part, see {@link #firstLanes}. */
  static final int ELEMENTS = 56;

  /** Floats: what to multiply with where that is given; 127 and 1. */
  static final int INVERSE = 64;

  static final int LEVELS = 68;
  static final int ONE = 72;

  /** The bits of a float but for its sign. */
  static final int MAGNITUDE = 76;

  /** The places of 32-bit elements that undo the order of packing. */
  static final int ORDER = 128;

  /** Ints, for masks that are vectors. */
  static final int LANES = 192;

  /** Two times four ints a row, all four the same: the bits of the absmax, the sum. */
  static final int RESULTS = 448;

  static final int MAX_ROWS = 256;
  static final int RESULT_BYTES = 32;
  private static final int SUM = 16;

  QuantizeArguments(InstructionSet set) {
    super(RESULTS + MAX_ROWS * RESULT_BYTES);
    setFloat(LEVELS, 0, 127);
    setFloat(ONE, 0, 1);
    setInt(MAGNITUDE, 0, 0x7fff_ffff);
    int parts = set.lanes() / 4; // of 128 bits
    for (int i = 0; i < set.lanes(); i++) {
      setInt(ORDER, i, i % parts * 4 + i / parts);
    }
    if (!set.hasEvex()) {
      setLaneTable(LANES, QuantizeGenerator.VECTORS * set.lanes());
    }
  }

  /** Rows of this many columns. */
  void setCols(int cols, InstructionSet set) {
    int aTurn = QuantizeGenerator.VECTORS * set.lanes();
    int rest = cols % aTurn;
    set(TURNS, cols / aTurn);
    set(REST, rest > 0 ? 1 : 0);
    set(ELEMENTS, firstLanes(set, LANES, aTurn, rest));
  }

  int absMaxBits(int row) {
    return memory.get(ValueLayout.JAVA_INT, RESULTS + (long) row * RESULT_BYTES);
  }

  int sum(int row) {
    return memory.get(ValueLayout.JAVA_INT, RESULTS + (long) row * RESULT_BYTES + SUM);
  }
}
