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
}
