package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.math3.distribution.ChiSquaredDistribution;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.apache.commons.math3.stat.inference.TestUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Stochastic rounding in the mean, over 100,000 draws a value. Seeds are fixed, so that a test
 * passes always or never; a right implementation fails one with probability {@link #SIGNIFICANCE}.
 */
class StochasticRoundingTest {
  private static final double SIGNIFICANCE = 0.001;
  private static final int ROWS = 400;
  private static final int COLS = 250;
  private static final int SAMPLES = ROWS * COLS;

  static Stream<Arguments> values() {
    return Setup.BACKENDS.stream()
        .flatMap(
            b ->
                Stream.of(0.01f, 0.3f, 0.5f, 0.97f, -0.25f, -3.6f, 41.125f, -126.5f)
                    .map(value -> Arguments.of(b, value)));
  }

  @ParameterizedTest
  @MethodSource("values")
  void unbiasedWithTheVarianceOfACoin(String backend, float value) {
    double[] drawn = draw(backend, value, 11);
    double floor = Math.floor(value);
    double fraction = value - floor;

    assertThat(Arrays.stream(drawn).distinct().sorted()).containsExactly(floor, floor + 1);
    assertThat(TestUtils.tTest(value, drawn)).isGreaterThan(SIGNIFICANCE);
    // The sums of the rows vary as sums of COLS independent coins do: draws do not hang together.
    double[] rowSums = new double[ROWS];
    for (int i = 0; i < SAMPLES; i++) {
      rowSums[i / COLS] += drawn[i];
    }
    double ratio = StatUtils.variance(rowSums) * (ROWS - 1) / (COLS * fraction * (1 - fraction));
    double below = new ChiSquaredDistribution(ROWS - 1).cumulativeProbability(ratio);
    assertThat(below).isBetween(SIGNIFICANCE / 2, 1 - SIGNIFICANCE / 2);
  }

  /** Neighbours in a row, neighbours in a column, and the same element under the next seed. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void drawsAreUncorrelated(String backend) {
    double[] drawn = draw(backend, 0.5f, 12);
    double[] otherSeed = draw(backend, 0.5f, 13);
    double[] right = Arrays.copyOfRange(drawn, 1, SAMPLES);
    double[] below = Arrays.copyOfRange(drawn, COLS, SAMPLES);

    // The correlation of n independent pairs has standard deviation 1 / sqrt n; 3.29 of them.
    double limit = 3.29 / Math.sqrt(SAMPLES - COLS);
    assertThat(Math.abs(correlation(drawn, right))).isLessThan(limit);
    assertThat(Math.abs(correlation(drawn, below))).isLessThan(limit);
    assertThat(Math.abs(correlation(drawn, otherSeed))).isLessThan(limit);
  }

  private static double correlation(double[] x, double[] y) {
    return new PearsonsCorrelation().correlation(Arrays.copyOf(x, y.length), y);
  }

  @Test
  void seedsDetermineTheDraws() {
    assertThat(draw("vector", 0.5f, 1))
        .isEqualTo(draw("vector", 0.5f, 1))
        .isEqualTo(draw("reference", 0.5f, 1))
        .isNotEqualTo(draw("vector", 0.5f, 2));
  }

  /** Up where the draw of the element is below its fraction, not where it equals it. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void roundsUpBelowTheFraction(String backend) {
    long seed = 5;
    FloatMatrix x = FloatMatrix.allocate(2, 1001);
    for (int i = 0; i < 2; i++) {
      long key = new CounterRandom(seed).key(i);
      for (int j = 0; j < 1000; j++) {
        // Row 0 is at the draw itself, row 1 one step of the draws above it; both are floats.
        x.set(i, j, CounterRandom.uniform(key, j) + i * 0x1p-24f);
      }
      x.set(i, 1000, 127);
    }
    QuantizedMatrix q = new QuantizedMatrix(Scaling.ROW);

    Setup.serial(backend).quantize(x, Rounding.stochastic(seed), NonFinitePolicy.REJECT, q);

    for (int i = 0; i < 2; i++) {
      assertThat(Arrays.copyOfRange(q.data(), i * q.rowStride(), i * q.rowStride() + 1000))
          .containsOnly(i);
    }
  }

  /** Integers stay as they are: they have no fraction to draw for. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void integersAreExact(String backend) {
    FloatMatrix x = FloatMatrix.allocate(1, 255);
    for (int i = 0; i < 255; i++) {
      x.set(0, i, i - 127);
    }
    QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);

    Setup.serial(backend).quantize(x, Rounding.stochastic(3), NonFinitePolicy.REJECT, q);

    assertThat(IntStream.range(0, 255).map(i -> q.get(0, i)))
        .containsExactly(IntStream.rangeClosed(-127, 127).boxed().toArray(Integer[]::new));
  }

  /**
   * Rounds a value that is not the largest of its matrix; a last column of 127 sets the scale to 1.
   */
  private static double[] draw(String backend, float value, long seed) {
    FloatMatrix x = FloatMatrix.allocate(ROWS, COLS + 1);
    Arrays.fill(x.data(), value);
    for (int i = 0; i < ROWS; i++) {
      x.set(i, COLS, 127);
    }
    QuantizedMatrix q = new QuantizedMatrix(Scaling.ROW);
    Setup.serial(backend).quantize(x, Rounding.stochastic(seed), NonFinitePolicy.REJECT, q);
    double[] drawn = new double[SAMPLES];
    Arrays.setAll(drawn, i -> q.get(i / COLS, i % COLS));
    return drawn;
  }
}
