package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.Float8Rounding;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.Scaling;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What holds for every matrix that is rounded to float8, on every backend. */
class Float8LawsTest {
  /** The largest relative error of one rounding to float32. */
  private static final double U = 0x1p-24;

  /** A matrix to round, and how. Rows differ in magnitude, and one in seven is zero. */
  record Sample(String backend, Float8Rounding rounding, int rows, int cols, long seed) {
    FloatMatrix times(float factor) {
      FloatMatrix x = Matrices.gaussian(rows, cols, seed);
      CounterRandom random = new CounterRandom(seed);
      for (int i = 0; i < rows; i++) {
        int bits = CounterRandom.bits(random.key(-7), i);
        float ofRow = Math.floorMod(bits, 7) == 0 ? 0 : Math.scalb(factor, (bits >>> 8) % 5);
        for (int j = 0; j < cols; j++) {
          // Down to where nothing is left in any format.
          x.set(i, j, Math.scalb(x.get(i, j) * ofRow, -Math.floorMod(bits + 5 * j, 24)));
        }
      }
      return x;
    }

    FloatMatrix round(FloatMatrix x) {
      FloatMatrix out = Matrices.blank(rows, cols, seed + 1);
      Setup.serial(backend).roundToFloat8(x, rounding, NonFinitePolicy.REJECT, out);
      return out;
    }

    Sample on(String otherBackend) {
      return new Sample(otherBackend, rounding, rows, cols, seed);
    }

    Float8Format format() {
      return rounding.format();
    }

    /** At least the scale of a row. */
    double scale(FloatMatrix x, int row) {
      double absMax = 0;
      boolean byRow = rounding.scaling() == Scaling.ROW;
      for (int i = byRow ? row : 0; i < (byRow ? row + 1 : rows); i++) {
        for (int j = 0; j < cols; j++) {
          absMax = Math.max(absMax, Math.abs(x.get(i, j)));
        }
      }
      return (rounding.powerOfTwoScale() ? 2 : 1) * absMax / format().largest();
    }
  }

  @Provide
  Arbitrary<Sample> samples() {
    return Combinators.combine(
            Arbitraries.of(Setup.BACKENDS),
            Combinators.combine(
                    Arbitraries.of(Float8Format.values()),
                    Arbitraries.of(Scaling.ROW, Scaling.TENSOR),
                    Arbitraries.of(true, false))
                .as(Float8Rounding::new),
            Arbitraries.integers().between(0, 9).withoutEdgeCases(),
            Arbitraries.integers().between(0, 150),
            Arbitraries.longs().withoutEdgeCases())
        .as(Sample::new);
  }

  /**
   * Half the distance of neighbouring numbers: of the value, at most 2^-(m + 1) with m bits of
   * mantissa; below the normal numbers, half of the widest gap. To that come four roundings to
   * float32: scale, reciprocal and both products.
   */
  @Property
  void errorIsAtMostHalfAStep(@ForAll("samples") Sample sample) {
    FloatMatrix x = sample.times(1);
    Float8Format format = sample.format();
    double gap =
        Math.max(format.quantum(), (double) format.smallestNormal() - format.largestSubnormal());

    Matrices.assertClose(
        sample.round(x),
        x::get,
        (i, j) -> {
          double size = Math.abs(x.get(i, j));
          double step = Math.scalb(size, -format.mantissaBits());
          return (Math.max(step, gap * sample.scale(x, i)) / 2 + 4 * U * size) * (1 + 4 * U);
        },
        sample.toString());
  }

  @Property
  void signsAreSymmetric(@ForAll("samples") Sample sample) {
    FloatMatrix positive = sample.round(sample.times(1));

    Matrices.assertClose(
        sample.round(sample.times(-1)),
        (i, j) -> -positive.get(i, j),
        Matrices.Cell.ZERO,
        sample.toString());
  }

  @Property
  void powersOfTwoGoThrough(@ForAll("samples") Sample sample) {
    int exponent = Math.floorMod(sample.seed, 41) - 20;
    FloatMatrix one = sample.round(sample.times(1));

    Matrices.assertClose(
        sample.round(sample.times(Math.scalb(1f, exponent))),
        (i, j) -> Math.scalb(one.get(i, j), exponent),
        Matrices.Cell.ZERO,
        sample.toString());
  }

  /**
   * Rounding again changes nothing. A scale that is no power of two comes back off by two roundings
   * at most, and multiplying by the one and by the other is rounded too. One that is can shrink, if
   * the largest magnitude was rounded down, which the gap of the paper's formats does not survive.
   */
  @Property
  void twiceIsOnce(@ForAll("samples") Sample sample) {
    FloatMatrix once = sample.round(sample.times(1));
    boolean exact = sample.rounding.powerOfTwoScale();
    boolean hasGap =
        sample.format().largestSubnormal() + sample.format().quantum()
            < sample.format().smallestNormal();
    Assume.that(!exact || !hasGap);

    Matrices.assertClose(
        sample.round(once),
        once::get,
        (i, j) -> exact ? 0 : 4 * U * (1 + 4 * U) * Math.abs(once.get(i, j)),
        sample.toString());
  }

  /** No value is in between: with its scale taken off, each is a number of the format. */
  @Property
  void scalesThatArePowersOfTwoLeaveNumbersOfTheFormat(@ForAll("samples") Sample any) {
    Float8Rounding rounding = new Float8Rounding(any.format(), any.rounding.scaling(), true);
    Sample sample = new Sample(any.backend, rounding, any.rows, any.cols, any.seed);
    FloatMatrix x = sample.times(1);
    FloatMatrix out = sample.round(x);
    Float8Oracle oracle = new Float8Oracle(sample.format());
    for (int i = 0; i < sample.rows; i++) {
      double bound = sample.scale(x, i); // the scale is the power of two in (bound / 2, bound]
      double scale = bound == 0 ? 1 : Math.scalb(1.0, Math.getExponent(bound));
      for (int j = 0; j < sample.cols; j++) {
        double number = out.get(i, j) / scale;
        // Where bound / 2 is a power of two itself, so is the scale.
        double half = 2 * number;
        assertThat(oracle.round(number) == number || oracle.round(half) == half)
            .as("%s: %s", sample, out.get(i, j))
            .isTrue();
      }
    }
  }

  @Property
  void backendsAgree(@ForAll("samples") Sample sample) {
    FloatMatrix x = sample.times(1);
    FloatMatrix expected = sample.on("reference").round(x);

    for (String backend : Setup.BACKENDS) {
      FloatMatrix actual = sample.on(backend).round(x);
      Matrices.assertSameBits(actual, expected, sample.toString());
      Matrices.assertGapsUntouched(actual, sample.toString());
    }
  }
}
