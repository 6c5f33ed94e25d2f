package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What holds for every matrix that is quantized, on every backend and with every scaling. */
class QuantizeLawsTest {
  /**
   * Roundings between x / s and the number that is rounded to an integer: 1 / s and its product
   * with x, each off by a factor of at most 1 + 2^-24, and the product of both deviations.
   */
  private static final double SLACK = 127 * (2 * 0x1p-24 + 0x1p-48);

  /** A matrix to quantize, and how. Rows differ in magnitude, and one in seven is zero. */
  record Sample(String backend, Scaling scaling, int rows, int cols, int exponent, long seed) {
    FloatMatrix x() {
      return times((float) Math.pow(10, exponent));
    }

    FloatMatrix times(float factor) {
      FloatMatrix x = Matrices.gaussian(rows, cols, seed);
      CounterRandom random = new CounterRandom(seed);
      for (int i = 0; i < rows; i++) {
        int bits = CounterRandom.bits(random.key(-7), i);
        float rowFactor = Math.floorMod(bits, 7) == 0 ? 0 : Math.scalb(factor, (bits >>> 8) % 5);
        for (int j = 0; j < cols; j++) {
          x.set(i, j, x.get(i, j) * rowFactor);
        }
      }
      return x;
    }

    QuantizedMatrix quantize(FloatMatrix x, Rounding rounding) {
      QuantizedMatrix q = new QuantizedMatrix(scaling);
      Setup.serial(backend).quantize(x, rounding, NonFinitePolicy.REJECT, q);
      return q;
    }

    QuantizedMatrix nearest(FloatMatrix x) {
      return quantize(x, Rounding.NEAREST_EVEN);
    }

    Sample on(String otherBackend) {
      return new Sample(otherBackend, scaling, rows, cols, exponent, seed);
    }
  }

  @Provide
  Arbitrary<Sample> samples() {
    return Combinators.combine(
            Arbitraries.of(Setup.BACKENDS),
            Arbitraries.of(Scaling.values()),
            Arbitraries.integers().between(0, 9).withoutEdgeCases(),
            Arbitraries.integers().between(0, 150),
            Arbitraries.integers().between(-30, 30).withoutEdgeCases(),
            Arbitraries.longs().withoutEdgeCases())
        .as(Sample::new);
  }

  @Property
  void errorIsAtMostHalfAStep(@ForAll("samples") Sample sample) {
    FloatMatrix x = sample.x();
    assertError(x, sample.nearest(x), 0.5 + SLACK);
  }

  @Property
  void errorOfStochasticRoundingIsLessThanAStep(@ForAll("samples") Sample sample) {
    FloatMatrix x = sample.x();
    assertError(x, sample.quantize(x, Rounding.stochastic(sample.seed)), 1 + SLACK);
  }

  private static void assertError(FloatMatrix x, QuantizedMatrix q, double steps) {
    Matrices.assertClose(
        x,
        (i, j) -> (double) q.scale(i, j) * q.get(i, j),
        (i, j) -> q.scale(i, j) * steps,
        "restored matrix");
  }

  /** {@code dequantize} is scale times q, rounded once. */
  @Property
  void dequantizeIsTheScaledValue(@ForAll("samples") Sample sample) {
    QuantizedMatrix q = sample.nearest(sample.x());
    FloatMatrix restored = Matrices.blank(sample.rows, sample.cols, sample.seed + 1);

    Setup.serial(sample.backend).dequantize(q, restored);

    Matrices.assertClose(
        restored, (i, j) -> q.scale(i, j) * q.get(i, j), Matrices.Cell.ZERO, "restored");
    Matrices.assertGapsUntouched(restored, "restored");
  }

  @Property
  void signsAreSymmetric(@ForAll("samples") Sample sample) {
    QuantizedMatrix positive = sample.nearest(sample.times(1));
    QuantizedMatrix negative = sample.nearest(sample.times(-1));

    assertLevels(negative, (i, j) -> -positive.get(i, j));
    assertThat(scales(negative)).isEqualTo(scales(positive));
  }

  @Property
  void powersOfTwoGoIntoTheScale(@ForAll("samples") Sample sample) {
    int exponent = Math.floorMod(sample.seed, 41) - 20;
    QuantizedMatrix one = sample.nearest(sample.times(1));
    QuantizedMatrix scaled = sample.nearest(sample.times(Math.scalb(1f, exponent)));

    assertLevels(scaled, one::get);
    float[] expected = scales(one);
    for (int i = 0; i < expected.length; i++) {
      expected[i] = Math.scalb(expected[i], exponent);
    }
    assertThat(scales(scaled)).isEqualTo(expected);
  }

  @Property
  void restoredValuesQuantizeToTheSameIntegers(@ForAll("samples") Sample sample) {
    QuantizedMatrix q = sample.nearest(sample.x());
    FloatMatrix restored = FloatMatrix.allocate(sample.rows, sample.cols);
    Setup.serial(sample.backend).dequantize(q, restored);

    assertLevels(sample.nearest(restored), q::get);
  }

  @Property
  void levelsSumsAndPaddingAreRight(@ForAll("samples") Sample sample) {
    FloatMatrix x = sample.x();
    for (Rounding rounding :
        new Rounding[] {Rounding.NEAREST_EVEN, Rounding.stochastic(sample.seed)}) {
      QuantizedMatrix q = sample.quantize(x, rounding);

      assertThat(q.rowStride() % 64).isZero();
      for (int i = 0; i < q.rows(); i++) {
        byte[] row = Arrays.copyOfRange(q.data(), i * q.rowStride(), (i + 1) * q.rowStride());
        int sum = 0;
        for (int j = 0; j < row.length; j++) {
          assertThat((int) row[j]).isBetween(j < q.cols() ? -127 : 0, j < q.cols() ? 127 : 0);
          sum += row[j];
        }
        assertThat(q.rowSums()[i]).isEqualTo(sum);
      }
    }
  }

  /** The largest magnitude is 127 steps, a scale of zero means zeros, and there are no others. */
  @Property
  void scaleIsTheLargestMagnitudeOver127(@ForAll("samples") Sample sample) {
    FloatMatrix x = sample.x();
    QuantizedMatrix q = sample.nearest(x);
    float[] largest = new float[sample.scaling.scales(x.rows(), x.cols())];
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        int group =
            switch (sample.scaling) {
              case ROW -> i;
              case COLUMN -> j;
              case TENSOR -> 0;
            };
        largest[group] = Math.max(largest[group], Math.abs(x.get(i, j)));
      }
    }
    for (int group = 0; group < largest.length; group++) {
      boolean zero = largest[group] < 127 * Float.MIN_NORMAL;
      assertThat(q.scales()[group]).isEqualTo(zero ? 0 : largest[group] / 127);
    }
  }

  /** Nearest and stochastic, values, scales and sums: the same bits on both backends. */
  @Property
  void backendsAgree(@ForAll("samples") Sample sample) {
    FloatMatrix x = sample.x();
    for (Rounding rounding :
        new Rounding[] {Rounding.NEAREST_EVEN, Rounding.stochastic(sample.seed)}) {
      Matrices.assertSame(
          sample.on("vector").quantize(x, rounding),
          sample.on("reference").quantize(x, rounding),
          sample.toString());
    }
  }

  private static void assertLevels(QuantizedMatrix q, Matrices.Levels expected) {
    for (int i = 0; i < q.rows(); i++) {
      for (int j = 0; j < q.cols(); j++) {
        assertThat((int) q.get(i, j)).isEqualTo(expected.at(i, j));
      }
    }
  }

  private static float[] scales(QuantizedMatrix q) {
    return Arrays.copyOf(q.scales(), q.scaling().scales(q.rows(), q.cols()));
  }
}
