package dev.switchyard.kernels.backend;

/**
 * The scale of int8 values, {@code absmax / 127}: 0 where all are zero or so small that the
 * reciprocal would overflow, NaN where one is not finite. Values with such a scale are zeros.
 */
public final class Scale {
  private static final int LEVELS = 127;
  private static final int INFINITY_BITS = 0x7f80_0000;

  /** Below it absmax / 127 is subnormal, and its reciprocal may be infinite. */
  private static final float SMALLEST_ABSMAX = LEVELS * Float.MIN_NORMAL;

  private Scale() {}

  /** The scale of values of which these are the bits of the largest magnitude. */
  public static float of(int absMaxBits) {
    if (absMaxBits >= INFINITY_BITS) {
      return Float.NaN;
    }
    float absMax = Float.intBitsToFloat(absMaxBits);
    return absMax < SMALLEST_ABSMAX ? 0 : absMax / LEVELS;
  }

  /** Whether values with this scale are rounded, and not just zero. */
  public static boolean rounds(float scale) {
    return scale > 0;
  }

  /** What to multiply values with before they are rounded: 0 if they are zero anyway. */
  public static float inverse(float scale) {
    return rounds(scale) ? 1 / scale : 0;
  }
}
