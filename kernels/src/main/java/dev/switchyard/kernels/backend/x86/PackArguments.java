package dev.switchyard.kernels.backend.x86;

/** The parameters of packing; see {@link PackGenerator}. Names are offsets in bytes. */
final class PackArguments extends Arguments {
  static final int SOURCE_OFFSET = 0;
  static final int SOURCE_STRIDE = 8;
  static final int TARGET_OFFSET = 16;

  /** From the columns of one panel or tile to those of the next (interleaving). */
  static final int SOURCE_STEP = 48;

  /**
   * From one panel or tile (interleaving) or from one row (converting) of the target to the next.
   */
  static final int TARGET_STRIDE = 24;

  /** Turns of the outer loop. */
  static final int OUTER = 32;

  /** Turns of the inner loop. */
  static final int INNER = 40;

  /** A vector of bits to flip in int8 values. */
  static final int FLIP = 64;

  static final int FLIP_BYTES = 64;

  private int flipped;
  private int flipPeriod = FLIP_BYTES;

  PackArguments() {
    super(FLIP + FLIP_BYTES);
  }

  /** Flips the sign of the first {@code bytes} of every {@code period}, a power of two. */
  void setFlips(int bytes, int period) {
    if (bytes == flipped && period == flipPeriod) {
      return;
    }
    flipped = bytes;
    flipPeriod = period;
    for (int i = 0; i < FLIP_BYTES; i += Long.BYTES) {
      long bits = 0;
      for (int j = 0; j < Long.BYTES; j++) {
        if (((i + j) & (period - 1)) < bytes) {
          bits |= 0x80L << (8 * j);
        }
      }
      set(FLIP + i, bits);
    }
  }
}
