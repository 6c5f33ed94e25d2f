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

  /** The elements of that part, 16 bits a vector. */
  static final int MASKS = 56;

  /** Floats: what to multiply with where that is given; 127 and 1. */
  static final int INVERSE = 64;

  static final int LEVELS = 68;
  static final int ONE = 72;

  /** The bits of a float but for its sign. */
  static final int MAGNITUDE = 76;

  /** The places of 32-bit elements that undo the order of packing. */
  static final int ORDER = 128;

  /** An int for each element of a turn, negative where there is one to read. */
  static final int LANE_MASKS = 192;

  /** Two times four ints a row, all four the same: the bits of the absmax, the sum. */
  static final int RESULTS = 448;

  static final int MAX_ROWS = 256;
  static final int RESULT_BYTES = 32;
  private static final int SUM = 16;

  private int rest = -1;

  QuantizeArguments(InstructionSet set) {
    super(RESULTS + MAX_ROWS * RESULT_BYTES);
    setFloat(LEVELS, 0, 127);
    setFloat(ONE, 0, 1);
    setInt(MAGNITUDE, 0, 0x7fff_ffff);
    int parts = set.lanes() / 4; // of 128 bits
    for (int i = 0; i < set.lanes(); i++) {
      setInt(ORDER, i, i % parts * 4 + i / parts);
    }
  }

  /** Rows of this many columns. */
  void setCols(int cols, InstructionSet set) {
    int aTurn = QuantizeGenerator.VECTORS * set.lanes();
    set(TURNS, cols / aTurn);
    if (cols % aTurn == rest) {
      return;
    }
    rest = cols % aTurn;
    set(REST, rest > 0 ? 1 : 0);
    long masks = 0;
    for (int j = 0; j < aTurn; j++) {
      setInt(LANE_MASKS, j, j < rest ? -1 : 0);
      masks |= j < rest ? 1L << (j / set.lanes() * Short.SIZE + j % set.lanes()) : 0;
    }
    set(MASKS, masks);
  }

  int absMaxBits(int row) {
    return memory.get(ValueLayout.JAVA_INT, RESULTS + (long) row * RESULT_BYTES);
  }

  int sum(int row) {
    return memory.get(ValueLayout.JAVA_INT, RESULTS + (long) row * RESULT_BYTES + SUM);
  }
}
