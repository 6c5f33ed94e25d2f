package dev.switchyard.kernels.data;

/**
 * A format of 8-bit floats: a sign, exponent bits, mantissa bits. {@link #E4M3} and {@link #E5M2}
 * are those of the OCP 8-bit Floating Point Specification (revision 1.0, section 5). The other two
 * are the codebooks that Wortsman et al. 2023 simulated float8 with: no code stands for an infinity
 * or a NaN, which leaves room for one binade more, and subnormal numbers are a quarter of those of
 * OCP, with a gap between them and the normal ones.
 *
 * <pre>
 *                largest   smallest normal   smallest subnormal
 *   E4M3             448              2^-6                 2^-9
 *   E5M2           57344             2^-14                2^-16
 *   E4M3_PAPER       480              2^-6                2^-11
 *   E5M2_PAPER    114688             2^-14                2^-18
 * </pre>
 */
public enum Float8Format {
  /** Four exponent bits: for activations and weights. */
  E4M3(3, -6, -9, 448),
  /** Five exponent bits: for gradients. */
  E5M2(2, -14, -16, 57_344),
  /** As {@link #E4M3}, in the codebook of the paper. */
  E4M3_PAPER(3, -6, -11, 480),
  /** As {@link #E5M2}, in the codebook of the paper. */
  E5M2_PAPER(2, -14, -18, 114_688);

  private static final int FLOAT_MANTISSA = 23;
  private static final int FLOAT_BIAS = 127;
  private static final int MAGNITUDE = 0x7fff_ffff;
  private static final int CODE_SIGN = 0x80;
  private static final int CODE_NAN = 0x7f;

  private final int mantissaBits;
  private final int minExponent;
  private final float smallestNormal;
  private final float quantum;
  private final float largest;

  Float8Format(int mantissaBits, int minExponent, int quantumExponent, float largest) {
    this.mantissaBits = mantissaBits;
    this.minExponent = minExponent;
    this.smallestNormal = Math.scalb(1f, minExponent);
    this.quantum = Math.scalb(1f, quantumExponent);
    this.largest = largest;
  }

  /**
   * The bits of the mantissa.
   *
   * @return 2 or 3
   */
  public int mantissaBits() {
    return mantissaBits;
  }

  /**
   * The largest number.
   *
   * @return its value
   */
  public float largest() {
    return largest;
  }

  /**
   * The smallest number that has an exponent of its own.
   *
   * @return its value
   */
  public float smallestNormal() {
    return smallestNormal;
  }

  /**
   * The smallest positive number; all subnormal ones are multiples of it.
   *
   * @return its value
   */
  public float quantum() {
    return quantum;
  }

  /**
   * The largest subnormal number.
   *
   * @return its value
   */
  public float largestSubnormal() {
    return ((1 << mantissaBits) - 1) * quantum;
  }

  /**
   * Rounds to the nearest number of the format, ties to the even code; what is beyond the largest
   * becomes the largest, infinities too. NaN stays NaN, and the sign of a zero stays.
   *
   * @param value any float
   * @return the number
   */
  public float round(float value) {
    if (Float.isNaN(value)) {
      return value;
    }
    float magnitude = Math.abs(value);
    float rounded;
    if (magnitude < smallestNormal) {
      rounded = (float) Math.rint(magnitude / quantum) * quantum;
      if (rounded > largestSubnormal()) {
        float middle = (largestSubnormal() + smallestNormal) / 2;
        rounded = magnitude < middle ? largestSubnormal() : smallestNormal;
      }
    } else {
      int dropped = FLOAT_MANTISSA - mantissaBits;
      int bits = Float.floatToRawIntBits(magnitude);
      int half = (1 << (dropped - 1)) - 1 + ((bits >>> dropped) & 1);
      rounded = Float.intBitsToFloat((bits + half) >>> dropped << dropped);
    }
    return Math.copySign(Math.min(rounded, largest), value);
  }

  /**
   * The value of a code.
   *
   * @param code sign, exponent and mantissa from the top bit down
   * @return its value; NaN or an infinity where the code stands for that
   */
  public float decode(byte code) {
    int magnitude = code & CODE_NAN;
    int exponent = magnitude >> mantissaBits;
    float mantissa = magnitude & ((1 << mantissaBits) - 1);
    float value =
        exponent == 0
            ? mantissa * quantum
            : Math.scalb(mantissa / (1 << mantissaBits) + 1, exponent + minExponent - 1);
    if (value > largest) { // the codes of OCP that are no numbers
      boolean infinite = mantissa == 0;
      value = infinite ? Float.POSITIVE_INFINITY : Float.NaN;
    }
    return code < 0 ? -value : value;
  }

  /**
   * The code of the nearest number, as {@link #round} finds it.
   *
   * @param value any float; no NaN in the formats of the paper
   * @return its code
   * @throws NonFiniteException if the value is NaN and the format has no code for that
   */
  public byte encode(float value) {
    int sign = Float.floatToRawIntBits(value) < 0 ? CODE_SIGN : 0;
    if (Float.isNaN(value)) {
      if (!Float.isNaN(decode((byte) CODE_NAN))) {
        throw new NonFiniteException(this + " has no code for NaN");
      }
      return (byte) (sign | CODE_NAN);
    }
    float magnitude = Math.abs(round(value));
    if (magnitude < smallestNormal) {
      return (byte) (sign | (int) (magnitude / quantum));
    }
    int bits = Float.floatToRawIntBits(magnitude) & MAGNITUDE;
    int rebias = (FLOAT_BIAS + minExponent - 1) << mantissaBits;
    return (byte) (sign | ((bits >>> (FLOAT_MANTISSA - mantissaBits)) - rebias));
  }
}
