package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.fail;

import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.Float8Rounding;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.Scaling;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class Float8Test {
  private static final Scaling[] SCALINGS = {Scaling.ROW, Scaling.TENSOR};

  @ParameterizedTest
  @EnumSource
  void allCodes(Float8Format format) {
    Map<Double, Integer> codes = new Float8Oracle(format).codes();
    codes.forEach(
        (value, code) -> {
          assertThat((double) format.decode(code.byteValue())).isEqualTo(value);
          assertThat((double) format.decode((byte) (code | 0x80))).isEqualTo(-value);
          assertThat(format.encode(value.floatValue())).isEqualTo(code.byteValue());
          assertThat(format.encode((float) -value)).isEqualTo((byte) (code | 0x80));
          assertThat((double) format.round(value.floatValue())).isEqualTo(value);
        });
    assertThat((double) format.largest())
        .isEqualTo(codes.keySet().stream().max(Double::compare).get());
  }

  /** From the tables of the specification and of the paper's code. */
  @Test
  void numbersOfTheFormats() {
    assertThat(Float8Format.E4M3.decode((byte) 0x7e)).isEqualTo(448);
    assertThat(Float8Format.E4M3.decode((byte) 0x7f)).isNaN();
    assertThat(Float8Format.E4M3.decode((byte) 0xff)).isNaN();
    assertThat(Float8Format.E4M3.decode((byte) 0x01)).isEqualTo(0x1p-9f);
    assertThat(Float8Format.E4M3.decode((byte) 0x08)).isEqualTo(0x1p-6f);
    assertThat(Float8Format.E5M2.decode((byte) 0x7b)).isEqualTo(57_344);
    assertThat(Float8Format.E5M2.decode((byte) 0x7c)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(Float8Format.E5M2.decode((byte) 0xfc)).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(Float8Format.E5M2.decode((byte) 0x7d)).isNaN();
    assertThat(Float8Format.E5M2.decode((byte) 0x01)).isEqualTo(0x1p-16f);
    assertThat(Float8Format.E5M2.decode((byte) 0x04)).isEqualTo(0x1p-14f);
    assertThat(Float8Format.E4M3_PAPER.decode((byte) 0x7f)).isEqualTo(480);
    assertThat(Float8Format.E4M3_PAPER.decode((byte) 0x07)).isEqualTo(7 * 0x1p-11f);
    assertThat(Float8Format.E4M3_PAPER.decode((byte) 0x08)).isEqualTo(0x1p-6f);
    assertThat(Float8Format.E5M2_PAPER.decode((byte) 0x7f)).isEqualTo(114_688);
    assertThat(Float8Format.E5M2_PAPER.decode((byte) 0x03)).isEqualTo(3 * 0x1p-18f);
  }

  @Test
  void whatIsNoNumber() {
    for (Float8Format format : Float8Format.values()) {
      assertThat(format.round(Float.NaN)).isNaN();
      assertThat(format.round(Float.POSITIVE_INFINITY)).isEqualTo(format.largest());
      assertThat(format.round(-Float.MAX_VALUE)).isEqualTo(-format.largest());
      assertThat(Float.floatToRawIntBits(format.round(-0f))).isEqualTo(0x8000_0000);
      assertThat(format.encode(-0f)).isEqualTo((byte) 0x80);
    }
    assertThat(Float8Format.E4M3.encode(Float.NaN)).isEqualTo((byte) 0x7f);
    assertThat(Float8Format.E5M2.encode(Float.NaN)).isEqualTo((byte) 0x7f);
    assertThatExceptionOfType(NonFiniteException.class)
        .isThrownBy(() -> Float8Format.E4M3_PAPER.encode(Float.NaN))
        .withMessage("E4M3_PAPER has no code for NaN");
  }

  /** Every number, every point halfway between two, and the floats next to them. */
  @ParameterizedTest
  @EnumSource
  void nearestAroundAllHalfwayPoints(Float8Format format) {
    Float8Oracle oracle = new Float8Oracle(format);
    Double previous = null;
    for (double value : oracle.codes().keySet()) {
      if (previous != null) {
        float halfway = (float) ((previous + value) / 2);
        assertThat((double) halfway).isEqualTo((previous + value) / 2);
        for (float x : new float[] {halfway, (float) value}) {
          assertNearest(format, oracle, x);
          assertNearest(format, oracle, Math.nextUp(x));
          assertNearest(format, oracle, Math.nextDown(x));
        }
      }
      previous = value;
    }
  }

  /** Some 900,000 floats from all of their bits. */
  @ParameterizedTest
  @EnumSource
  void nearestAnywhere(Float8Format format) {
    Float8Oracle oracle = new Float8Oracle(format);
    for (long bits = 0; bits < 1L << 32; bits += 4801) {
      float x = Float.intBitsToFloat((int) bits);
      if (!Float.isNaN(x)) {
        assertNearest(format, oracle, x);
      }
    }
  }

  private static void assertNearest(Float8Format format, Float8Oracle oracle, float x) {
    for (float signed : new float[] {x, -x}) {
      double expected = oracle.round(signed);
      float actual = format.round(signed);
      if (actual != expected || format.decode(format.encode(signed)) != expected) {
        fail("%s rounds %s to %s (expected %s)", format, signed, actual, expected);
      }
    }
  }

  static Stream<Setup> setups() {
    return Setup.all();
  }

  /**
   * The same points in a matrix: with the largest number among them, the scale is 1, and each is
   * rounded as it is. The number of columns leaves a tail to every vector length.
   */
  @ParameterizedTest
  @MethodSource("setups")
  void matricesAreNearestAroundAllHalfwayPoints(Setup setup) {
    for (Float8Format format : Float8Format.values()) {
      float[] points = pointsAround(new Float8Oracle(format));
      FloatMatrix x = FloatMatrix.allocate(2, points.length + 1);
      for (int j = 0; j < points.length; j++) {
        x.set(0, j, points[j]);
        x.set(1, points.length - j, -points[j]); // other lanes, and the other sign
      }
      x.set(0, points.length, format.largest());
      x.set(1, 0, -format.largest());
      Float8Oracle oracle = new Float8Oracle(format);
      for (Float8Rounding rounding : roundings(format)) {
        FloatMatrix out = FloatMatrix.allocate(2, points.length + 1);
        setup.kernels().roundToFloat8(x, rounding, NonFinitePolicy.REJECT, out);
        Matrices.assertClose(
            out, (i, j) -> oracle.round(x.get(i, j)), Matrices.Cell.ZERO, setup + " " + rounding);
      }
    }
  }

  /** Every number, every point halfway between two, and the floats next to them. */
  private static float[] pointsAround(Float8Oracle oracle) {
    List<Double> numbers = new ArrayList<>(oracle.codes().keySet());
    float[] points = new float[6 * (numbers.size() - 1)];
    for (int i = 1; i < numbers.size(); i++) {
      float halfway = (float) ((numbers.get(i - 1) + numbers.get(i)) / 2);
      float below = numbers.get(i - 1).floatValue();
      int at = 6 * (i - 1);
      for (float x : new float[] {halfway, below}) {
        points[at++] = x;
        points[at++] = Math.nextUp(x);
        points[at++] = Math.nextDown(x);
      }
    }
    return points;
  }

  /** The largest magnitude of a row or of all becomes the format's largest number. */
  @ParameterizedTest
  @MethodSource("setups")
  void matricesFollowTheFormula(Setup setup) {
    Kernels kernels = setup.kernels();
    for (Float8Format format : Float8Format.values()) {
      Float8Oracle oracle = new Float8Oracle(format);
      for (int[] shape : new int[][] {{0, 3}, {3, 0}, {1, 1}, {5, 17}, {37, 70}, {203, 257}}) {
        FloatMatrix x = Matrices.gaussian(shape[0], shape[1], shape[1]);
        for (int j = 0; j < shape[1]; j++) {
          for (int i = 0; i < shape[0]; i++) {
            // Rows of very different sizes, one of zeros, and elements from all over the range.
            double size = i == 1 ? 0 : Math.scalb(1.0, i % 7 - 3 - (j % 5) * 4);
            x.set(i, j, (float) (x.get(i, j) * size));
          }
        }
        int[] before = Matrices.content(x);
        for (Float8Rounding rounding : roundings(format)) {
          FloatMatrix out = Matrices.blank(shape[0], shape[1], 3);
          kernels.roundToFloat8(x, rounding, NonFinitePolicy.REJECT, out);

          String what = setup + " " + rounding + " " + x.shape();
          Matrices.assertSameBits(out, expected(x, rounding, oracle), what);
          Matrices.assertGapsUntouched(out, what);
          assertThat(Matrices.content(x)).as(what).isEqualTo(before);
          FloatMatrix inPlace = Matrices.copy(x);
          kernels.roundToFloat8(inPlace, rounding, NonFinitePolicy.REJECT, inPlace);
          Matrices.assertSameBits(inPlace, out, what + " in place");
        }
      }
    }
  }

  /** Both scalings, with scales of both kinds. */
  static List<Float8Rounding> roundings(Float8Format format) {
    List<Float8Rounding> roundings = new ArrayList<>();
    for (Scaling scaling : SCALINGS) {
      roundings.add(new Float8Rounding(format, scaling));
      roundings.add(new Float8Rounding(format, scaling, true));
    }
    return roundings;
  }

  private static FloatMatrix expected(FloatMatrix x, Float8Rounding rounding, Float8Oracle oracle) {
    FloatMatrix expected = FloatMatrix.allocate(x.rows(), x.cols());
    for (int i = 0; i < x.rows(); i++) {
      boolean row = rounding.scaling() == Scaling.ROW;
      float scale = absMax(row ? x.rowRange(i, i + 1) : x) / rounding.format().largest();
      if (rounding.powerOfTwoScale() && scale > 0) {
        scale = nextPowerOfTwo(scale);
      }
      for (int j = 0; j < x.cols(); j++) {
        float scaled = scale == 0 ? 0 : x.get(i, j) * (1 / scale);
        expected.set(i, j, scale == 0 ? 0 : (float) oracle.round(scaled) * scale);
      }
    }
    return expected;
  }

  private static float nextPowerOfTwo(float scale) {
    float power = Float.MIN_NORMAL;
    while (power < scale) {
      power *= 2;
    }
    return power;
  }

  private static float absMax(FloatMatrix x) {
    float max = 0;
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        max = Math.max(max, Math.abs(x.get(i, j)));
      }
    }
    return max;
  }

  @ParameterizedTest
  @MethodSource("setups")
  void nonFiniteValuesAreRejectedOrPropagate(Setup setup) {
    Kernels kernels = setup.kernels();
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      for (Float8Rounding rounding : roundings(Float8Format.E4M3)) {
        FloatMatrix x = Matrices.gaussian(5, 40, 1);
        x.set(3, 17, bad);
        FloatMatrix out = Matrices.blank(5, 40, 2);
        int[] before = Matrices.content(out);
        assertThatExceptionOfType(NonFiniteException.class)
            .isThrownBy(() -> kernels.roundToFloat8(x, rounding, NonFinitePolicy.REJECT, out))
            .withMessageStartingWith("element (3, 17) of the 5x40 matrix to quantize is " + bad);
        assertThat(Matrices.content(out)).isEqualTo(before);

        kernels.roundToFloat8(x, rounding, NonFinitePolicy.PROPAGATE, out);
        for (int i = 0; i < 5; i++) {
          boolean concerned = rounding.scaling() == Scaling.TENSOR || i == 3;
          for (int j = 0; j < 40; j++) {
            assertThat(Float.isNaN(out.get(i, j))).isEqualTo(concerned);
          }
        }
      }
    }
  }

  /** Where the scale would be subnormal, its reciprocal could be infinite. */
  @ParameterizedTest
  @MethodSource("setups")
  void tinyRowsBecomeZeros(Setup setup) {
    Kernels kernels = setup.kernels();
    FloatMatrix x = FloatMatrix.of(new float[] {1e-40f, -Float.MIN_NORMAL, 2, 4}, 2, 2);
    FloatMatrix out = FloatMatrix.allocate(2, 2);
    for (boolean powerOfTwo : new boolean[] {false, true}) {
      Float8Rounding rounding = new Float8Rounding(Float8Format.E4M3, Scaling.ROW, powerOfTwo);
      kernels.roundToFloat8(x, rounding, NonFinitePolicy.REJECT, out);
      assertThat(out.data()).containsExactly(0, 0, 2, 4);
    }
  }

  @Test
  void refusesWhatMakesNoSense() {
    Kernels kernels = Setup.serial("reference");
    FloatMatrix x = FloatMatrix.allocate(2, 3);
    NonFinitePolicy policy = NonFinitePolicy.REJECT;
    Float8Rounding rounding = new Float8Rounding(Float8Format.E4M3, Scaling.ROW);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Float8Rounding(Float8Format.E4M3, Scaling.COLUMN))
        .withMessage("scaling of float8 is COLUMN (expected ROW or TENSOR)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kernels.roundToFloat8(x, rounding, policy, FloatMatrix.allocate(3, 2)))
        .withMessage("result is 3x2 but the matrix to round is 2x3");
  }
}
