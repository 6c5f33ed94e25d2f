package dev.switchyard.kernels.backend.emitted;

/** The parameters of packing; see {@link Emitter#pack}. Names are offsets in bytes. */
public final class PackArguments extends Arguments {
  public static final int SOURCE_OFFSET = 0;
  public static final int SOURCE_STRIDE = 8;
  public static final int TARGET_OFFSET = 16;

  /** From the columns of one panel or tile to those of the next (interleaving). */
  public static final int SOURCE_STEP = 48;

  /**
   * From one panel or tile (interleaving) or from one row (converting) of the target to the next.
   */
  public static final int TARGET_STRIDE = 24;

  /** Turns of the outer loop. */
  public static final int OUTER = 32;

  /** Turns of the inner loop. */
  public static final int INNER = 40;

  /** A vector of bits to flip in int8 values. */
  public static final int FLIP = 64;

  public static final int FLIP_BYTES = 64;

  // Vectors of one 32-bit number, for rounding to bfloat16

  /** All bits but the sign. */
  public static final int ABSOLUTE = 128;

  /** What makes the absolute bits of a number negative, but not those of a NaN. */
  public static final int BELOW_NAN = 192;

  /** The lowest bit. */
  public static final int ONE = 256;

  /** Just under half of the lowest bit that bfloat16 has. */
  public static final int UNDER_HALF = 320;

  /** The bit of a quiet NaN. */
  public static final int QUIET = 384;

  /** The bits that bfloat16 has. */
  public static final int UPPER = 448;

  private static final int VECTOR_BYTES = 64;

  /** The signs of 8 bytes. */
  private static final long SIGNS = 0x8080_8080_8080_8080L;

  PackArguments() {
    super(UPPER + VECTOR_BYTES);
    setVector(ABSOLUTE, 0x7fff_ffff);
    setVector(BELOW_NAN, -0x7f80_0001);
    setVector(ONE, 1);
    setVector(UNDER_HALF, 0x7fff);
    setVector(QUIET, 0x0040_0000);
    setVector(UPPER, 0xffff_0000);
  }

  private void setVector(int offset, int number) {
    for (int i = 0; i < VECTOR_BYTES / Integer.BYTES; i++) {
      setInt(offset, i, number);
    }
  }

  /** Flips the sign of the first {@code bytes} of every {@code period}, a power of two. */
  void setFlips(int bytes, int period) {
    long bits = 0;
    for (int i = 0; i < FLIP_BYTES; i += Long.BYTES) {
      if (i == 0 || period > Long.BYTES) { // else it is the same again
        bits = flips(bytes, period, i);
      }
      set(FLIP + i, bits);
    }
  }

  private static long flips(int bytes, int period, int from) {
    int step = Math.min(period, Long.BYTES);
    long bits = 0;
    for (int j = 0; j < Long.BYTES; j += step) {
      int flipped = Math.clamp(bytes - ((from + j) & (period - 1)), 0, step);
      bits |= flipped == 0 ? 0 : SIGNS >>> (Byte.SIZE * (Long.BYTES - flipped)) << (Byte.SIZE * j);
    }
    return bits;
  }
}
