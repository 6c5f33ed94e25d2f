package dev.switchyard.bench.report;

import java.util.Arrays;

/**
 * Where the values of repeated measurements lie.
 *
 * @param lower the lower quartile
 * @param median of all
 * @param upper the upper quartile
 */
record Spread(double lower, double median, double upper) {
  /** Medians closer than this are not called different, however little each varies by itself. */
  private static final double NOTICEABLE = 0.03;

  /** Of some values, between which it is interpolated. */
  static Spread of(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return new Spread(quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75));
  }

  private static double quantile(double[] sorted, double part) {
    double at = part * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  /** Multiples of it. */
  Spread times(double factor) {
    return new Spread(lower * factor, median * factor, upper * factor);
  }

  /** A constant divided by it. */
  Spread under(double dividend) {
    return new Spread(dividend / upper, dividend / median, dividend / lower);
  }

  /** Whether medians are more than 3 % apart and the middle halves of the values do not overlap. */
  boolean differsFrom(Spread other) {
    double ratio = median / other.median;
    return (ratio > 1 + NOTICEABLE || ratio < 1 / (1 + NOTICEABLE))
        && (lower > other.upper || upper < other.lower);
  }
}
