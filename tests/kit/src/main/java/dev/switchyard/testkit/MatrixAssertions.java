package dev.switchyard.testkit;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Locale;
import org.opentest4j.AssertionFailedError;

/**
 * Compares matrices. A failure shows the signal-to-noise ratio, the largest difference with the
 * elements around it, and the rows that are worst.
 *
 * <p>In every comparison a matrix of another shape fails, and so does a NaN or an infinity that the
 * other matrix has not in the same place.
 */
public final class MatrixAssertions {
  private MatrixAssertions() {}

  /**
   * Asserts that no element differs by more than a bound.
   *
   * @param expected [rows, cols]
   * @param actual what was computed
   * @param bound the largest absolute difference that is allowed, 0 for equal numbers
   * @throws AssertionFailedError if the shapes differ or an element is beyond the bound
   * @throws IllegalArgumentException if the bound is negative or not a number
   */
  public static void assertWithin(double bound, FloatMatrix expected, FloatMatrix actual) {
    if (!(bound >= 0)) {
      throw new IllegalArgumentException("bound is " + bound + " (expected 0 or more)");
    }
    Difference difference = Difference.between(expected, actual);
    if (difference.largest() > bound) {
      throw failure(difference, beyond(difference, bound));
    }
  }

  /**
   * Asserts a signal-to-noise ratio, {@code 10 log10(sum expected^2 / sum (actual - expected)^2)}.
   * An int8 product of normally distributed operands has about 40 dB.
   *
   * @param decibels the lowest that is allowed
   * @param expected [rows, cols]
   * @param actual what was computed
   * @throws AssertionFailedError if the shapes differ or the ratio is lower
   * @throws IllegalArgumentException if decibels is not a number
   */
  public static void assertSnr(double decibels, FloatMatrix expected, FloatMatrix actual) {
    if (Double.isNaN(decibels)) {
      throw new IllegalArgumentException("decibels is NaN (expected a number)");
    }
    Difference difference = Difference.between(expected, actual);
    if (difference.snr() < decibels) {
      throw failure(
          difference,
          String.format(Locale.ROOT, "signal-to-noise ratio is below %.1f dB", decibels));
    }
  }

  private static String beyond(Difference difference, double bound) {
    FloatMatrix expected = difference.expected();
    long beyond = 0;
    for (int i = 0; i < expected.rows(); i++) {
      for (int j = 0; j < expected.cols(); j++) {
        beyond += difference.at(i, j) > bound ? 1 : 0;
      }
    }
    return String.format(
        Locale.ROOT,
        "%d of %d elements differ by more than %.4g",
        beyond,
        (long) expected.rows() * expected.cols(),
        bound);
  }

  private static AssertionFailedError failure(Difference difference, String what) {
    return new AssertionFailedError(
        String.format(
            Locale.ROOT, "%s: %s%n%s", difference.expected().shape(), what, difference.describe()));
  }
}
