package dev.switchyard.kernels.data;

/** Conversion of single values between 32-bit float and bfloat16, its upper 16 bits. */
public final class Bfloat16 {
  private Bfloat16() {}

  /**
   * Rounds to the nearest bfloat16, ties to even; values beyond the largest bfloat16 become
   * infinite, NaN stays NaN.
   *
   * @param value any float
   * @return the bits of the bfloat16
   */
  public static short fromFloat(float value) {
    return (short) (Float.floatToRawIntBits(round(value)) >>> 16);
  }

  /**
   * Widens exactly.
   *
   * @param bits the bits of a bfloat16
   * @return its value
   */
  public static float toFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /**
   * Rounds a float to the nearest value that bfloat16 can hold, ties to even.
   *
   * @param value any float
   * @return the rounded value, whose lower 16 bits are zero
   */
  public static float round(float value) {
    int bits = Float.floatToRawIntBits(value);
    // A NaN must not round up into infinity or wrap to zero: keep its sign and set the quiet bit.
    int rounded = Float.isNaN(value) ? bits | 0x0040_0000 : bits + 0x7fff + (bits >>> 16 & 1);
    return Float.intBitsToFloat(rounded & 0xffff_0000);
  }
}
