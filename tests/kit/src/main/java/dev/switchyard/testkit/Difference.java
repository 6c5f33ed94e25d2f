package dev.switchyard.testkit;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.opentest4j.AssertionFailedError;

/**
 * How far a matrix is from the one expected. An element that is NaN or infinite differs by infinity
 * from every other, and by 0 from its like.
 *
 * @param expected [rows, cols]
 * @param actual [rows, cols]
 * @param error [rows], the sum of squared differences of each row
 * @param signal [rows], the sum of squares of each row of expected
 * @param largest the largest difference
 * @param row where it is, the first if there are several; 0 if nothing differs
 * @param col where it is
 */
record Difference(
    FloatMatrix expected,
    FloatMatrix actual,
    double[] error,
    double[] signal,
    double largest,
    int row,
    int col) {
  private static final int WORST_ROWS = 5;

  static Difference between(FloatMatrix expected, FloatMatrix actual) {
    if (expected.rows() != actual.rows() || expected.cols() != actual.cols()) {
      throw new AssertionFailedError(
          "matrix is " + actual.shape() + " (expected " + expected.shape() + ")",
          expected.shape(),
          actual.shape());
    }
    double[] error = new double[expected.rows()];
    double[] signal = new double[expected.rows()];
    double largest = 0;
    int row = 0;
    int col = 0;
    for (int i = 0; i < expected.rows(); i++) {
      for (int j = 0; j < expected.cols(); j++) {
        double value = expected.get(i, j);
        double difference = distance(value, actual.get(i, j));
        signal[i] += Double.isFinite(value) ? value * value : 0;
        error[i] += difference * difference;
        if (difference > largest) {
          largest = difference;
          row = i;
          col = j;
        }
      }
    }
    return new Difference(expected, actual, error, signal, largest, row, col);
  }

  private static double distance(double a, double b) {
    if (Double.compare(a, b) == 0) {
      return 0;
    }
    return Double.isFinite(a) && Double.isFinite(b) ? Math.abs(a - b) : Double.POSITIVE_INFINITY;
  }

  /** The signal-to-noise ratio of all elements, {@code 10 log10(sum expected^2 / sum error^2)}. */
  double snr() {
    return decibels(sum(signal), sum(error));
  }

  /** That of one row. */
  double snr(int ofRow) {
    return decibels(signal[ofRow], error[ofRow]);
  }

  static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  /** Infinite if there is no error, of whatever size the signal is. */
  static double decibels(double signal, double error) {
    return error == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(signal / error);
  }

  double at(int i, int j) {
    return distance(expected.get(i, j), actual.get(i, j));
  }

  /** The rows that are not exact, those with the lowest signal-to-noise ratio first. */
  List<Integer> worstRows() {
    return IntStream.range(0, error.length)
        .filter(i -> error[i] > 0)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> snr(i)))
        .limit(WORST_ROWS)
        .toList();
  }

  /** What a person wants to know about a difference. */
  String describe() {
    return String.format(
        Locale.ROOT,
        "SNR %.1f dB, largest difference %.4g at row %d, column %d (expected %.7g, was %.7g)%n"
            + "worst rows: %s%n%s",
        snr(),
        largest,
        row,
        col,
        expected.get(row, col),
        actual.get(row, col),
        worstRows().stream()
            .map(i -> String.format(Locale.ROOT, "%d (%.1f dB)", i, snr(i)))
            .collect(Collectors.joining(", ")),
        surroundings());
  }

  /** Both matrices around the largest difference, one above the other. */
  private String surroundings() {
    StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%18s", "column"));
    for (int j = firstCol(); j < lastCol(); j++) {
      text.append(String.format(Locale.ROOT, " %12d", j));
    }
    for (int i = Math.max(0, row - 1); i < Math.min(expected.rows(), row + 2); i++) {
      text.append(line("row " + i + " expected", expected, i));
      text.append(line("was", actual, i));
    }
    return text.toString();
  }

  private String line(String name, FloatMatrix matrix, int i) {
    StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%n%18s", name));
    for (int j = firstCol(); j < lastCol(); j++) {
      line.append(String.format(Locale.ROOT, " %12.5g", matrix.get(i, j)));
    }
    return line.toString();
  }

  private int firstCol() {
    return Math.max(0, col - 2);
  }

  private int lastCol() {
    return Math.min(expected.cols(), col + 3);
  }
}
