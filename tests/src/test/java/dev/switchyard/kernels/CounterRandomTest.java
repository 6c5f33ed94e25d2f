package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.data.CounterRandom;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.apache.commons.math3.stat.inference.TestUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The random generator against the distributions it stands for. Seeds are fixed, so that a test
 * passes always or never; good numbers fail one with probability {@link #SIGNIFICANCE}.
 */
class CounterRandomTest {
  private static final double SIGNIFICANCE = 0.001;
  private static final int SAMPLES = 200_000;

  /** So many standard deviations leave SIGNIFICANCE outside, both tails together. */
  private static final double DEVIATIONS = 3.29;

  private final CounterRandom random = new CounterRandom(42);

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, 12345678901L})
  void numbersOfAStreamAreUniform(long stream) {
    long key = random.key(stream);
    assertUniform(i -> CounterRandom.uniform(key, i), 1000);
  }

  /** The first numbers of all streams, and of all seeds: each row of a matrix is a stream. */
  @Test
  void streamsAndSeedsAreUniformAcross() {
    assertUniform(i -> CounterRandom.uniform(random.key(i), 0), 1000);
    assertUniform(i -> CounterRandom.uniform(new CounterRandom(i).key(0), 0), 1000);
    assertUniform(i -> CounterRandom.uniform(random.split(i).key(0), 0), 1000);
  }

  private static void assertUniform(IntToDoubleFunction number, int bins) {
    long[] counts = new long[bins];
    for (int i = 0; i < SAMPLES; i++) {
      double value = number.applyAsDouble(i);
      assertThat(value).isBetween(0.0, 1 - 0x1p-24);
      counts[(int) (value * bins)]++;
    }
    assertChiSquare(counts);
  }

  private static void assertChiSquare(long[] counts) {
    double[] expected = new double[counts.length];
    Arrays.fill(expected, 1);
    assertThat(TestUtils.chiSquareTest(expected, counts)).isGreaterThan(SIGNIFICANCE);
  }

  @Test
  void everyBitIsOneHalfOfTheTime() {
    long key = random.key(3);
    int[] ones = new int[32];
    for (int i = 0; i < SAMPLES; i++) {
      int bits = CounterRandom.bits(key, i);
      for (int b = 0; b < 32; b++) {
        ones[b] += bits >>> b & 1;
      }
    }
    // 32 bits are tested: 4 deviations leave 6e-5 for each.
    double deviation = Math.sqrt(SAMPLES) / 2;
    for (int n : ones) {
      assertThat((double) n).isCloseTo(SAMPLES / 2.0, within(4 * deviation));
    }
  }

  @Test
  void neighboursAreUncorrelated() {
    long key = random.key(1);
    for (int lag : new int[] {1, 2, 3, 16, 64, 256}) {
      assertUncorrelated(
          i -> CounterRandom.uniform(key, i), i -> CounterRandom.uniform(key, i + lag));
    }
  }

  @Test
  void streamsSeedsAndSplitsAreUncorrelated() {
    long key = random.key(1);
    IntToDoubleFunction one = i -> CounterRandom.uniform(key, i);
    for (long other :
        new long[] {
          random.key(0),
          random.key(2),
          random.key(-1),
          new CounterRandom(41).key(1),
          random.split(1).key(1),
          random.split(0).key(1)
        }) {
      assertUncorrelated(one, i -> CounterRandom.uniform(other, i));
    }
    // across streams: the same column of neighbouring rows
    assertUncorrelated(
        i -> CounterRandom.uniform(random.key(i), 5),
        i -> CounterRandom.uniform(random.key(i + 1), 5));
  }

  /** The correlation of n independent pairs has standard deviation 1 / sqrt n. */
  private static void assertUncorrelated(IntToDoubleFunction x, IntToDoubleFunction y) {
    double correlation = new PearsonsCorrelation().correlation(numbers(x), numbers(y));
    assertThat(correlation).isCloseTo(0, within(DEVIATIONS / Math.sqrt(SAMPLES)));
  }

  private static double[] numbers(IntToDoubleFunction number) {
    return IntStream.range(0, SAMPLES).mapToDouble(number).toArray();
  }

  @Test
  void gaussianNumbersAreNormal() {
    long key = random.key(9);
    double[] numbers = numbers(i -> CounterRandom.gaussian(key, i));

    // Mean of n: 1 / sqrt n; variance: sqrt(2 / n); third and fourth moment: sqrt(15 / n), sqrt(96
    // / n).
    double n = SAMPLES;
    assertThat(StatUtils.mean(numbers)).isCloseTo(0, within(DEVIATIONS / Math.sqrt(n)));
    assertThat(StatUtils.variance(numbers)).isCloseTo(1, within(DEVIATIONS * Math.sqrt(2 / n)));
    assertThat(moment(numbers, 3)).isCloseTo(0, within(DEVIATIONS * Math.sqrt(15 / n)));
    assertThat(moment(numbers, 4)).isCloseTo(3, within(DEVIATIONS * Math.sqrt(96 / n)));
    double[] some = Arrays.copyOf(numbers, 20_000);
    assertThat(TestUtils.kolmogorovSmirnovTest(new NormalDistribution(), some))
        .isGreaterThan(SIGNIFICANCE);
    assertUncorrelated(i -> numbers[i], i -> numbers[(i + 1) % SAMPLES]);
  }

  private static double moment(double[] numbers, int power) {
    return Arrays.stream(numbers).map(x -> Math.pow(x, power)).average().orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 10, 10_000})
  void permutationsHoldEachNumberOnce(int n) {
    int[] order = random.permutation(n, 7);

    assertThat(IntStream.of(order).sorted().toArray()).isEqualTo(IntStream.range(0, n).toArray());
    assertThat(random.permutation(n, 7)).isEqualTo(order);
  }

  /**
   * Each number is equally often in each place, and each of the orders of four equally frequent.
   */
  @Test
  void permutationsAreUnbiased() {
    int n = 8;
    long[] counts = new long[n * n];
    long[] orders = new long[256];
    for (int stream = 0; stream < 40_000; stream++) {
      int[] order = random.permutation(n, stream);
      for (int i = 0; i < n; i++) {
        counts[i * n + order[i]]++;
      }
      int[] four = random.permutation(4, stream);
      orders[four[0] | four[1] << 2 | four[2] << 4 | four[3] << 6]++;
    }
    for (int i = 0; i < n; i++) {
      assertChiSquare(Arrays.copyOfRange(counts, i * n, (i + 1) * n));
    }
    long[] possible = Arrays.stream(orders).filter(count -> count > 0).toArray();
    assertThat(possible).hasSize(24);
    assertChiSquare(possible);
  }

  @Test
  void numbersAreAFunctionOfSeedStreamAndIndex() {
    long key = new CounterRandom(42).key(7);

    assertThat(key).isEqualTo(random.key(7));
    assertThat(CounterRandom.bits(key, 1000)).isEqualTo(CounterRandom.bits(random.key(7), 1000));
    assertThat(random.key(8)).isNotEqualTo(key);
    assertThat(new CounterRandom(43).key(7)).isNotEqualTo(key);
    assertThat(random.split(7).key(7)).isNotEqualTo(key);
    assertThat(random.split(7)).isEqualTo(random.split(7)).isNotEqualTo(random.split(8));
  }
}
