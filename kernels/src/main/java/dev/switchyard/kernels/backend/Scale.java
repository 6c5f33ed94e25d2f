package dev.switchyard.kernels.backend;

/**
 * The scale of values that are rounded to a range, {@code absmax / largest}: 0 where all are zero
 * or so small that the reciprocal would overflow, NaN where one is not finite. int8 values with
 * such a scale are zeros.
 */
public final class Scale {
  private static final float INT8_LARGEST = 127;
  private static final int INFINITY_BITS = 0x7f80_0000;

  private Scale() {}

  /** The scale of int8 values of which these are the bits of the largest magnitude. */
  public static float of(int absMaxBits) {
    return of(absMaxBits, INT8_LARGEST);
  }

  /** The scale that takes the largest magnitude to {@code largest}. */
  public static float of(int absMaxBits, float largest) {
    if (absMaxBits >= INFINITY_BITS) {
      return Float.NaN;
    }
    float absMax = Float.intBitsToFloat(absMaxBits);
    // Below, the scale is subnormal, and its reciprocal may be infinite.
    return absMax < largest * Float.MIN_NORMAL ? 0 : absMax / largest;
  }

  /** The next power of two if the scale is not one itself; 0 and NaN stay. */
  public static float raisedToPowerOfTwo(float scale) {
    if (!rounds(scale)) {
      return scale;
    }
    int exponent = Math.getExponent(scale);
    return Math.scalb(1f, scale == Math.scalb(1f, exponent) ? exponent : exponent + 1);
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
