package dev.switchyard.bench.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.apache.commons.math3.distribution.BinomialDistribution;
import org.apache.commons.math3.distribution.TDistribution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Intervals against exact probabilities, published numbers, and how often they are wrong. */
class IntervalTest {
  private static final int DRAWS = 1_000;

  private final SplittableRandom random = new SplittableRandom(3);

  // Accuracies

  /** Judged differently: {@code wins} that the first has right, {@code losses} the second. */
  private static Interval accuracies(int wins, int losses, int examples) {
    BitSet first = new BitSet();
    BitSet second = new BitSet();
    first.set(0, wins);
    second.set(wins, wins + losses);
    first.set(wins + losses, examples, true); // both right: this must not count
    second.set(wins + losses, examples, true);
    return Interval.ofAccuracies(first, second, examples);
  }

  @Test
  void liesOnOneSideOfZeroIfAndOnlyIfTheExactTestOfMcNemarSaysSo() {
    for (int discordant = 0; discordant <= 30; discordant++) {
      for (int wins = 0; wins <= discordant; wins++) {
        BinomialDistribution even = new BinomialDistribution(null, discordant, 0.5);
        double tail = 1 - even.cumulativeProbability(wins - 1);
        Interval interval = accuracies(wins, discordant - wins, 100);
        assertThat(interval.isAbove(0) == Answer.SHOWS)
            .as("%d of %d", wins, discordant)
            .isEqualTo(discordant > 0 && tail < 0.025);
        assertThat(interval.estimate()).isEqualTo((2 * wins - discordant) / 100.0);
        assertThat(interval.lower()).isLessThanOrEqualTo(interval.estimate());
        assertThat(interval.upper()).isGreaterThanOrEqualTo(interval.estimate());
        Interval mirrored = accuracies(discordant - wins, wins, 100);
        assertThat(mirrored.lower()).isCloseTo(-interval.upper(), within(1e-8));
      }
    }
  }

  /** 274 against 271 of 520 texts, of which 40 and 37 are the other's mistakes. */
  @Test
  void threeTextsMoreOf520TellNothing() {
    Interval interval = accuracies(40, 37, 520);
    assertThat(interval.isAbove(0)).isEqualTo(Answer.CANNOT_TELL);
    assertThat(100 * interval.estimate()).isCloseTo(0.58, within(0.01));
  }

  @Test
  void noDifferenceAtAllIsNotCertainEither() {
    Interval interval = accuracies(0, 0, 520);
    double mostUnseen = 1 - Math.pow(0.025, 1.0 / 520); // what 520 examples may hide
    assertThat(interval.upper()).isCloseTo(mostUnseen, within(1e-8));
    assertThat(interval.lower()).isCloseTo(-mostUnseen, within(1e-8));
  }

  @ParameterizedTest
  @CsvSource({
    "520, 0.05, 0.05",
    "520, 0.2, 0.2",
    "100, 0.02, 0.02",
    "2000, 0.03, 0.01",
    "520, 0, 0.04",
    "520, 0.005, 0.04",
    "50, 0.3, 0.05",
    "20, 0.6, 0.4",
    "20, 0.9, 0.02"
  })
  void theTrueDifferenceIsInside(int examples, double wins, double losses) {
    int above = 0;
    int below = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
      Interval interval = drawn(examples, wins, losses);
      above += interval.lower() > wins - losses ? 1 : 0;
      below += interval.upper() < wins - losses ? 1 : 0;
    }
    // One in 40 to either side at most, with four standard errors of the count of draws.
    assertThat(above).isLessThan(45);
    assertThat(below).isLessThan(45);
  }

  @Test
  void aClearDifferenceShows() {
    int shows = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
      shows += drawn(520, 0.09, 0.03).isAbove(0) == Answer.SHOWS ? 1 : 0;
    }
    assertThat(shows).isGreaterThan(DRAWS * 9 / 10);
  }

  private Interval drawn(int examples, double wins, double losses) {
    int won = 0;
    int lost = 0;
    for (int i = 0; i < examples; i++) {
      double u = random.nextDouble();
      won += u < wins ? 1 : 0;
      lost += u >= wins && u < wins + losses ? 1 : 0;
    }
    return accuracies(won, lost, examples);
  }

  // Shares

  @Test
  void theEndsOfAShareMakeWhatWasSeenAsUnlikelyAsOneIn40() {
    for (int trials = 1; trials <= 25; trials++) {
      for (int events = 0; events <= trials; events++) {
        Interval share = Interval.ofShare(events, trials);
        if (events > 0) {
          BinomialDistribution low = new BinomialDistribution(null, trials, share.lower());
          assertThat(1 - low.cumulativeProbability(events - 1)).isCloseTo(0.025, within(1e-6));
        }
        if (events < trials) {
          BinomialDistribution high = new BinomialDistribution(null, trials, share.upper());
          assertThat(high.cumulativeProbability(events)).isCloseTo(0.025, within(1e-6));
        }
      }
    }
    assertThat(Interval.ofShare(0, 0)).isEqualTo(new Interval(0.5, 0, 1));
    assertThat(Interval.ofShare(0, 9).lower()).isZero();
    assertThat(Interval.ofShare(9, 9).upper()).isEqualTo(1);
  }

  // Means, ratios, slopes

  /** Hours of sleep gained by ten patients with either of two drugs (Student 1908). */
  @Test
  void sleepOfStudentsPatients() {
    double[] dextro = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    double[] levo = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    Interval gain = Interval.ofDifference(levo, dextro);
    assertThat(gain.estimate()).isCloseTo(1.58, within(1e-12));
    assertThat(gain.lower()).isCloseTo(0.7001142, within(1e-6));
    assertThat(gain.upper()).isCloseTo(2.4598858, within(1e-6));
    assertThat(gain.text("%.2f")).isEqualTo("1.58 (95 % interval 0.70 to 2.46)");
  }

  /** Heights of American women in inches and their mean weights in pounds. */
  @Test
  void weightsOfWomen() {
    double[] heights = new double[15];
    Arrays.setAll(heights, i -> 58 + i);
    double[] weights = {115, 117, 120, 123, 126, 129, 132, 135, 139, 142, 146, 150, 154, 159, 164};
    Interval slope = Interval.ofSlope(heights, weights);
    assertThat(slope.estimate()).isCloseTo(3.45, within(1e-12));
    assertThat(slope.lower()).isCloseTo(3.253112, within(1e-6));
    assertThat(slope.upper()).isCloseTo(3.646888, within(1e-6));
  }

  @Test
  void aRatioIsThatOfGeometricMeans() {
    Interval ratio = Interval.ofRatio(new double[] {2, 8, 4}, new double[] {1, 2, 2});
    assertThat(ratio.estimate()).isCloseTo(Math.cbrt(2 * 4 * 2), within(1e-12));
    Interval inverse = Interval.ofRatio(new double[] {1, 2, 2}, new double[] {2, 8, 4});
    assertThat(inverse.lower()).isCloseTo(1 / ratio.upper(), within(1e-12));
    assertThat(inverse.upper()).isCloseTo(1 / ratio.lower(), within(1e-12));
  }

  @Test
  void unpairedValuesAreFurtherApart() {
    double[] first = {2, 8, 4};
    double[] second = {1, 2, 2};
    Interval ratio = Interval.ofUnpairedRatio(first, second);
    assertThat(ratio.estimate()).isCloseTo(Math.cbrt(2 * 4 * 2), within(1e-12));
    // The logarithms to base 2 are 1, 3, 2 and 0, 1, 1: variances 1 and 1/3, so that the squared
    // error of the difference is 4/9, with 3.2 degrees of freedom, of which t is 3.07.
    double t = Math.log(ratio.upper() / ratio.estimate()) / Math.log(2) / Math.sqrt(4 / 9.0);
    assertThat(t)
        .isCloseTo(new TDistribution(null, 3.2).inverseCumulativeProbability(0.975), within(1e-6));
    Interval inverse = Interval.ofUnpairedRatio(second, first);
    assertThat(inverse.lower()).isCloseTo(1 / ratio.upper(), within(1e-12));
    assertThat(Interval.ofUnpairedRatio(new double[] {4, 4}, new double[] {2, 2, 2}))
        .isEqualTo(new Interval(2, 2, 2));
  }

  @ParameterizedTest
  @CsvSource({"2", "3", "8", "30"})
  void oneInFortyIsWrongToEitherSide(int rounds) {
    assertWrongOneInForty(
        0, () -> Interval.ofDifference(gaussians(rounds, 5), gaussians(rounds, 5)));
    assertWrongOneInForty(1, () -> Interval.ofRatio(times(rounds), times(rounds)));
    assertWrongOneInForty(1, () -> Interval.ofUnpairedRatio(times(rounds), times(rounds + 1)));
    double[] x = new double[rounds + 1];
    Arrays.setAll(x, i -> i * i);
    assertWrongOneInForty(0, () -> Interval.ofSlope(x, gaussians(rounds + 1, 0)));
  }

  /** Neighbours correlate by 0.3: the mean varies 1.9 times as much as that of a sample. */
  @Test
  void aSeriesOfNeighboursThatAreAlikeIsNoSampleOfAsMany() {
    double[] zeros = new double[30];
    assertWrongOneInForty(0, () -> Interval.ofSeriesDifference(alike(30), zeros, 1));
    int wrong = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
      wrong += Interval.ofDifference(alike(30), zeros).isAbove(0) == Answer.SHOWS ? 1 : 0;
    }
    assertThat(wrong).as("as if they were").isGreaterThan(45);
  }

  /** Two chances to be wrong, in one claim. */
  @Test
  void intervalsThatDecideAClaimTogetherAreWrongAsSeldomAsOne() {
    double[] zeros = new double[20];
    int wrong = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
      Answer one = Interval.ofSeriesDifference(gaussians(20, 0), zeros, 2).isAbove(0);
      Answer other = Interval.ofSeriesDifference(gaussians(20, 0), zeros, 2).isAbove(0);
      wrong += one.or(other) == Answer.SHOWS ? 1 : 0;
    }
    assertThat(wrong).isBetween(5, 45);
  }

  @Test
  void aSeriesIsCutIntoFiveWhateverItsLength() {
    double[] series = {9, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11}; // means 2, 4, 6, 8, 10, and a rest
    Interval interval = Interval.ofSeriesDifference(series, new double[11], 1);
    assertThat(interval.estimate()).isEqualTo(6);
    assertThat(interval.upper()).isCloseTo(6 + 2.776445 * Math.sqrt(2), within(1e-5));
    assertThat(Interval.ofSeriesDifference(new double[4], new double[4], 1).upper())
        .isEqualTo(Double.POSITIVE_INFINITY);
  }

  private double[] alike(int count) {
    double[] values = gaussians(count, 0);
    for (int i = 0; i < count; i++) {
      double before = i == 0 ? random.nextGaussian() : values[i - 1];
      values[i] = 0.3 * before + Math.sqrt(0.91) * values[i];
    }
    return values;
  }

  /** 25 of 1,000, with four standard errors. */
  private static void assertWrongOneInForty(double truth, Supplier<Interval> experiment) {
    int shows = 0;
    int showsTheContrary = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
      Interval interval = experiment.get();
      shows += interval.isAbove(truth) == Answer.SHOWS ? 1 : 0;
      showsTheContrary += interval.isBelow(truth) == Answer.SHOWS ? 1 : 0;
    }
    assertThat(shows).isBetween(5, 45);
    assertThat(showsTheContrary).isBetween(5, 45);
  }

  private double[] gaussians(int count, double mean) {
    double[] values = new double[count];
    Arrays.setAll(values, i -> mean + random.nextGaussian());
    return values;
  }

  private double[] times(int count) {
    return Arrays.stream(gaussians(count, 0)).map(z -> 100 * Math.exp(0.05 * z)).toArray();
  }

  @Test
  void aStepThatIsATenthFasterShowsInEightNoisyRounds() {
    int shows = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
      double[] slower = Arrays.stream(times(8)).map(millis -> 1.1 * millis).toArray();
      shows += Interval.ofRatio(slower, times(8)).isAbove(1) == Answer.SHOWS ? 1 : 0;
    }
    assertThat(shows).isGreaterThan(DRAWS * 8 / 10);
  }

  @Test
  void tooFewValuesTellNothing() {
    assertThat(Interval.ofMean(7).isAbove(0)).isEqualTo(Answer.CANNOT_TELL);
    assertThat(Interval.ofMean(7).text("%.1f")).isEqualTo("7.0 (no interval)");
    assertThat(Interval.ofUnpairedRatio(new double[] {6}, new double[] {2}).cell("%.0f"))
        .isEqualTo("3 (no interval)");
    assertThat(Interval.ofMean().isAbove(0)).isEqualTo(Answer.CANNOT_TELL);
    assertThat(Interval.ofMean(7, Double.NaN).isAbove(0)).isEqualTo(Answer.CANNOT_TELL);
    assertThat(Interval.ofUnpairedRatio(new double[] {1, 2, 1}, new double[] {9}).isBelow(1))
        .isEqualTo(Answer.CANNOT_TELL);
    assertThat(Interval.ofSlope(new double[] {1, 2}, new double[] {3, 4}).isAbove(0))
        .isEqualTo(Answer.CANNOT_TELL);
  }

  @Test
  void pairsHaveTwoValues() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Interval.ofDifference(new double[3], new double[2]))
        .withMessage("there are 3 values and 2 others (expected as many)");
  }

  // Answers

  @Test
  void anAnswerFollowsFromWhereTheIntervalLies() {
    Interval interval = new Interval(2, 1, 3);
    assertThat(interval.isAbove(0.9)).isEqualTo(Answer.SHOWS);
    assertThat(interval.isAbove(1)).isEqualTo(Answer.CANNOT_TELL);
    assertThat(interval.isAbove(3)).isEqualTo(Answer.DOES_NOT_SHOW);
    assertThat(interval.isBelow(3.1)).isEqualTo(Answer.SHOWS);
    assertThat(interval.isBelow(2)).isEqualTo(Answer.CANNOT_TELL);
    assertThat(interval.isBelow(1)).isEqualTo(Answer.DOES_NOT_SHOW);
  }

  @ParameterizedTest
  @CsvSource({
    "SHOWS, SHOWS, SHOWS, SHOWS",
    "SHOWS, CANNOT_TELL, CANNOT_TELL, SHOWS",
    "SHOWS, DOES_NOT_SHOW, DOES_NOT_SHOW, SHOWS",
    "CANNOT_TELL, CANNOT_TELL, CANNOT_TELL, CANNOT_TELL",
    "CANNOT_TELL, DOES_NOT_SHOW, DOES_NOT_SHOW, CANNOT_TELL",
    "DOES_NOT_SHOW, DOES_NOT_SHOW, DOES_NOT_SHOW, DOES_NOT_SHOW"
  })
  void answersToPartsOfAClaim(Answer one, Answer other, Answer both, Answer either) {
    assertThat(one.and(other)).isEqualTo(both);
    assertThat(other.and(one)).isEqualTo(both);
    assertThat(one.or(other)).isEqualTo(either);
    assertThat(other.or(one)).isEqualTo(either);
  }
}
