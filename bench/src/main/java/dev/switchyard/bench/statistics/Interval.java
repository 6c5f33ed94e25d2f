package dev.switchyard.bench.statistics;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.apache.commons.math3.distribution.BetaDistribution;
import org.apache.commons.math3.distribution.TDistribution;

/**
 * An estimate with its 95 % confidence interval: of all experiments like this one, at least 19 in
 * 20 have the true value in theirs. A claim that the interval decides is decided wrongly in at most
 * one in 20, and in one in 40 to either side.
 *
 * @param estimate what was measured
 * @param lower where the interval begins; may be infinite
 * @param upper where it ends; may be infinite
 */
public record Interval(double estimate, double lower, double upper) {
  private static final double TAIL = 0.025;
  private static final int BATCHES = 5;

  /**
   * How much more often one is right than another on the same examples, as a part of all.
   *
   * <p>Only examples that they judge differently tell them apart. Given their number, how often the
   * first is the one that is right is binomial (McNemar 1947). The difference is that, from -1 to
   * 1, times the part of examples judged differently; of both there are exact intervals (Clopper
   * and Pearson 1934), and their lengths add up in squares (Zou and Donner 2008). The outcome lies
   * on one side of 0 if and only if the exact test of McNemar says so.
   *
   * @param first which examples the first has right
   * @param second which the second has right
   * @param examples how many there are, at least 1
   * @throws IllegalArgumentException if there are fewer examples than that
   */
  public static Interval ofAccuracies(BitSet first, BitSet second, int examples) {
    int highest = Math.max(first.length(), second.length());
    if (examples < Math.max(1, highest)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "examples is %d (expected %d or more)", examples, Math.max(1, highest)));
    }
    BitSet differing = (BitSet) first.clone();
    differing.xor(second);
    int discordant = differing.cardinality();
    differing.and(first);
    int wins = differing.cardinality();
    Interval side = ofShare(wins, discordant).map(share -> 2 * share - 1);
    Interval part = ofShare(discordant, examples);
    return new Interval(
        (2.0 * wins - discordant) / examples,
        lowerEnd(side, part),
        -lowerEnd(new Interval(-side.estimate, -side.upper, -side.lower), part));
  }

  /** Of a product, of which {@code part} is not negative. */
  private static double lowerEnd(Interval side, Interval part) {
    double bySide = side.estimate - side.lower;
    double byPart = part.estimate - (side.estimate > 0 ? part.lower : part.upper);
    double byBoth = part.estimate - (side.lower > 0 ? part.lower : part.upper);
    double reach =
        Math.sqrt(
            square(bySide * part.estimate)
                + square(side.estimate * byPart)
                + square(bySide * byBoth));
    // The product of both ends is further away, but has the right sign.
    double ofEnds = side.lower * (side.lower > 0 ? part.lower : part.upper);
    return Math.max(ofEnds, side.estimate * part.estimate - reach);
  }

  private static double square(double x) {
    return x * x;
  }

  /**
   * The chance of an event that came a number of times (Clopper and Pearson 1934).
   *
   * @param events at most {@code trials}
   * @param trials if there are none, the interval is from 0 to 1
   */
  public static Interval ofShare(int events, int trials) {
    return new Interval(
        trials == 0 ? 0.5 : (double) events / trials,
        events == 0 ? 0 : beta(events, trials - events + 1.0, TAIL),
        events == trials ? 1 : beta(events + 1.0, trials - events, 1 - TAIL));
  }

  private static double beta(double a, double b, double probability) {
    return new BetaDistribution(null, a, b).inverseCumulativeProbability(probability);
  }

  /** The mean (Student 1908); infinite unless there are two values. */
  public static Interval ofMean(double... values) {
    double mean = mean(values);
    if (values.length < 2) {
      return new Interval(mean, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
    }
    return around(mean, Math.sqrt(squaredError(values)), values.length - 1);
  }

  private static Interval around(double estimate, double error, double freedom) {
    return around(estimate, error, freedom, TAIL);
  }

  private static Interval around(double estimate, double error, double freedom, double tail) {
    double reach = error * new TDistribution(null, freedom).inverseCumulativeProbability(1 - tail);
    return new Interval(estimate, estimate - reach, estimate + reach);
  }

  /** The mean difference of values that were measured in pairs, such as in one round each. */
  public static Interval ofDifference(double[] first, double[] second) {
    return ofMean(pairs(first, second, (a, b) -> a - b));
  }

  /**
   * The mean difference of two series that were measured in pairs, of which neighbours are alike,
   * as the losses of consecutive steps: they tell less than as many values that have nothing to do
   * with each other. The differences are cut into 5 batches of m neighbours (a rest at the
   * beginning is left out), whose means depend on each other the less the longer they are (batch
   * means, Conway 1963; Schmeiser 1982):
   *
   * <pre>
   *   d_b = mean of differences (b - 1) m + 1 to b m        interval of Student around mean d_b
   * </pre>
   *
   * With m = 6, series whose neighbours correlate by 0.3 are told wrongly as seldom as a sample,
   * once in 40 to either side; by 0.5, once in 21.
   *
   * <p>Several intervals that decide one claim can each be wrong. With k of them, each holds in all
   * but 1 of 20 k experiments, so that all hold together in 19 of 20 (Bonferroni; Dunn 1961).
   *
   * @param first 5 values or more, else the interval is infinite
   * @param second as many
   * @param together how many such intervals decide one claim, from 1
   */
  public static Interval ofSeriesDifference(double[] first, double[] second, int together) {
    double[] differences = pairs(first, second, (a, b) -> a - b);
    int length = differences.length / BATCHES;
    if (length == 0) {
      return new Interval(mean(differences), Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
    }
    int rest = differences.length - BATCHES * length;
    double[] means =
        IntStream.range(0, BATCHES)
            .map(batch -> rest + batch * length)
            .mapToDouble(from -> mean(Arrays.copyOfRange(differences, from, from + length)))
            .toArray();
    return around(mean(means), Math.sqrt(squaredError(means)), BATCHES - 1, TAIL / together);
  }

  /** How many times as large, in the geometric mean, values of pairs are; all above 0. */
  public static Interval ofRatio(double[] first, double[] second) {
    return ofMean(pairs(first, second, (a, b) -> Math.log(a / b))).map(Math::exp);
  }

  /**
   * How many times as large, in the geometric mean, values are as others that have nothing to do
   * with them, such as those of another day (Welch 1947); all above 0. Infinite unless there are
   * two of either.
   */
  public static Interval ofUnpairedRatio(double[] first, double[] second) {
    double[] a = Arrays.stream(first).map(Math::log).toArray();
    double[] b = Arrays.stream(second).map(Math::log).toArray();
    double difference = mean(a) - mean(b);
    if (Math.min(a.length, b.length) < 2) {
      return new Interval(Math.exp(difference), 0, Double.POSITIVE_INFINITY);
    }
    double ofA = squaredError(a);
    double ofB = squaredError(b);
    double sum = ofA + ofB;
    double freedom =
        sum == 0
            ? a.length + b.length - 2
            : sum * sum / (ofA * ofA / (a.length - 1) + ofB * ofB / (b.length - 1));
    return around(difference, Math.sqrt(sum), freedom).map(Math::exp);
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).average().orElse(Double.NaN);
  }

  /** That of the mean. */
  private static double squaredError(double[] values) {
    double mean = mean(values);
    double squares = Arrays.stream(values).map(v -> square(v - mean)).sum();
    return squares / (values.length - 1.0) / values.length;
  }

  private interface PairFunction {
    double of(double first, double second);
  }

  private static double[] pairs(double[] first, double[] second, PairFunction function) {
    if (first.length != second.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "there are %d values and %d others (expected as many)",
              first.length,
              second.length));
    }
    return IntStream.range(0, first.length)
        .mapToDouble(i -> function.of(first[i], second[i]))
        .toArray();
  }

  /** The slope of a line through points (least squares); infinite unless there are three. */
  public static Interval ofSlope(double[] x, double[] y) {
    double meanX = mean(x);
    double meanY = mean(y);
    double xx = Arrays.stream(pairs(x, x, (a, b) -> (a - meanX) * (b - meanX))).sum();
    double xy = Arrays.stream(pairs(x, y, (a, b) -> (a - meanX) * (b - meanY))).sum();
    double slope = xy / xx;
    if (x.length < 3) {
      return new Interval(slope, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
    }
    double residuals =
        Arrays.stream(pairs(x, y, (a, b) -> b - meanY - slope * (a - meanX)))
            .map(residual -> residual * residual)
            .sum();
    int freedom = x.length - 2;
    return around(slope, Math.sqrt(residuals / freedom / xx), freedom);
  }

  /** The interval of an increasing function of the value. */
  public Interval map(DoubleUnaryOperator increasing) {
    return new Interval(
        increasing.applyAsDouble(estimate),
        increasing.applyAsDouble(lower),
        increasing.applyAsDouble(upper));
  }

  /** Whether the value is above a limit. */
  public Answer isAbove(double limit) {
    if (lower > limit) {
      return Answer.SHOWS;
    }
    return upper <= limit ? Answer.DOES_NOT_SHOW : Answer.CANNOT_TELL;
  }

  /** Whether the value is below a limit. */
  public Answer isBelow(double limit) {
    return new Interval(-estimate, -upper, -lower).isAbove(-limit);
  }

  /**
   * For tables that say what stands in brackets: {@code 1.20 (0.90 to 1.50)}.
   *
   * @param format of a number
   */
  public String cell(String format) {
    return text(format, "");
  }

  /**
   * For people: {@code 1.20 (95 % interval 0.90 to 1.50)}, or {@code 1.20 (no interval)} where
   * values are too few.
   *
   * @param format of a number
   */
  public String text(String format) {
    return text(format, "95 % interval ");
  }

  private String text(String format, String name) {
    String number = String.format(Locale.ROOT, format, estimate);
    return Double.isInfinite(upper)
        ? number + " (no interval)"
        : number
            + " ("
            + name
            + String.format(Locale.ROOT, format + " to " + format + ")", lower, upper);
  }
}
