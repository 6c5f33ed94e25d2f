package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.PackedMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rounding to bfloat16 for every upper half of a float, with lower halves around the ties. */
class Bfloat16Test {
  private static final int[] LOWER = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff})
  void everyUpperHalf(int lower) {
    for (int upper = 0; upper <= 0xffff; upper++) {
      checkRounding(Float.intBitsToFloat(upper << 16 | lower));
    }
  }

  @Test
  void randomBits() {
    long key = new CounterRandom(1).key(0);
    for (int i = 0; i < 500_000; i++) {
      checkRounding(Float.intBitsToFloat(CounterRandom.bits(key, i)));
    }
  }

  /** Compares distances to both neighbours in double precision. */
  private static void checkRounding(float value) {
    float rounded = Bfloat16.round(value);
    int bits = Float.floatToRawIntBits(rounded);
    boolean right = (bits & 0xffff) == 0;
    if (Float.isNaN(value)) {
      right &= Float.isNaN(rounded) && sign(bits) == sign(Float.floatToRawIntBits(value));
    } else {
      // The neighbours towards and away from zero; beyond the largest comes what it would be.
      int inner = Float.floatToRawIntBits(value) & 0xffff_0000;
      double near = Float.intBitsToFloat(inner);
      double far = number(inner + 0x1_0000);
      boolean even = (inner & 0x1_0000) == 0;
      double toNear = Math.abs(value - near);
      double toFar = Math.abs(far - value);
      boolean takesNear = toNear < toFar || (toNear == toFar && even) || value == near;
      right &= bits == (takesNear ? inner : inner + 0x1_0000);
    }
    right &= Float.floatToRawIntBits(Bfloat16.toFloat(Bfloat16.fromFloat(value))) == bits;
    if (!right) {
      fail("%s (%08x) became %s", value, Float.floatToRawIntBits(value), rounded);
    }
  }

  private static int sign(int bits) {
    return bits >>> 31;
  }

  /** The number of these bits, 2^128 for those of infinity. */
  private static double number(int bits) {
    float value = Float.intBitsToFloat(bits);
    return Float.isInfinite(value) ? Math.copySign(0x1p128, value) : value;
  }

  @Test
  void wellKnownValues() {
    assertThat(Bfloat16.fromFloat(1)).isEqualTo((short) 0x3f80);
    assertThat(Bfloat16.fromFloat(-0f)).isEqualTo((short) 0x8000);
    assertThat(Bfloat16.round(3.1415927f)).isEqualTo(3.140625f);
    assertThat(Bfloat16.round(Float.MAX_VALUE)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(Bfloat16.round(Float.NEGATIVE_INFINITY)).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(Bfloat16.round(Float.intBitsToFloat(0x7f80_0001))).isNaN();
    assertThat(Bfloat16.round(Float.intBitsToFloat(0xffff_ffff))).isNaN();
  }

  /** Packing rounds on the way: every element as {@link Bfloat16#round} does it, NaNs included. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void packedOperandsAreRoundedAlike(String backend) {
    FloatMatrix all = FloatMatrix.allocate(LOWER.length, 65_536);
    for (int i = 0; i < LOWER.length; i++) {
      for (int upper = 0; upper <= 0xffff; upper++) {
        all.set(i, upper, Float.intBitsToFloat(upper << 16 | LOWER[i]));
      }
    }
    PackedMatrix packed = new PackedMatrix();
    for (Form form : new Form[] {Form.NT, Form.NN}) {
      Setup.serial(backend).pack(ElementType.BFLOAT16, form, all, packed);
      for (int i = 0; i < LOWER.length; i++) {
        for (int upper = 0; upper <= 0xffff; upper++) {
          float expected = Bfloat16.round(all.get(i, upper));
          float actual = form == Form.NN ? element(packed, i, upper) : element(packed, upper, i);
          if (Float.floatToRawIntBits(actual) != Float.floatToRawIntBits(expected)) {
            fail("%s: %s became %s, not %s", form, all.get(i, upper), actual, expected);
          }
        }
      }
    }
  }

  private static float element(PackedMatrix p, int k, int j) {
    int panel = j / p.panelCols() * p.inner();
    return p.array()[(panel + k) * p.panelCols() + j % p.panelCols()];
  }
}
