package dev.switchyard.bench.soak;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Locale;
import java.util.Map;

/** Comparisons of what was computed twice: matrices by name. */
final class Results {
  /**
   * A gradient that is about to vanish, as where all is learned by heart, is the difference of
   * larger numbers: it keeps their rounding, such as that of probabilities of almost 1.
   */
  private static final double VANISHED = 1e-5;

  private Results() {}

  /** Asks for the same bits. */
  static void requireSame(
      String what, Map<String, FloatMatrix> expected, Map<String, FloatMatrix> actual)
      throws WrongResult {
    requireNames(what, expected, actual);
    for (Map.Entry<String, FloatMatrix> entry : expected.entrySet()) {
      requireSame(what + ": " + entry.getKey(), entry.getValue(), actual.get(entry.getKey()));
    }
  }

  /** Asks for the same bits. */
  static void requireSame(String what, FloatMatrix expected, FloatMatrix actual)
      throws WrongResult {
    requireShape(what, expected, actual);
    for (int i = 0; i < expected.rows(); i++) {
      for (int j = 0; j < expected.cols(); j++) {
        if (Float.floatToRawIntBits(expected.get(i, j))
            != Float.floatToRawIntBits(actual.get(i, j))) {
          throw new WrongResult(
              String.format(
                  Locale.ROOT,
                  "%s is %s at (%d, %d) (expected the same bits as %s)",
                  what,
                  actual.get(i, j),
                  i,
                  j,
                  expected.get(i, j)));
        }
      }
    }
  }

  /** Asks for elements that are no further off than the bounds. */
  static void requireWithin(
      String what, double[][] bounds, FloatMatrix expected, FloatMatrix actual) throws WrongResult {
    requireShape(what, expected, actual);
    for (int i = 0; i < expected.rows(); i++) {
      for (int j = 0; j < expected.cols(); j++) {
        double off = Math.abs((double) actual.get(i, j) - expected.get(i, j));
        if (!(off <= bounds[i][j])) { // a NaN is not
          throw new WrongResult(
              String.format(
                  Locale.ROOT,
                  "%s is %s at (%d, %d) (expected %s, give or take %.3g)",
                  what,
                  actual.get(i, j),
                  i,
                  j,
                  expected.get(i, j),
                  bounds[i][j]));
        }
      }
    }
  }

  /**
   * Asks for matrices that differ by no more than a part of their size, as a whole, or by {@link
   * #VANISHED}.
   */
  static void requireClose(
      String what, double part, Map<String, FloatMatrix> expected, Map<String, FloatMatrix> actual)
      throws WrongResult {
    requireNames(what, expected, actual);
    for (Map.Entry<String, FloatMatrix> entry : expected.entrySet()) {
      String name = what + ": " + entry.getKey();
      requireShape(name, entry.getValue(), actual.get(entry.getKey()));
      double size = norm(entry.getValue(), null);
      double off = norm(entry.getValue(), actual.get(entry.getKey()));
      if (!(off <= Math.max(part * size, VANISHED))) {
        throw new WrongResult(
            String.format(
                Locale.ROOT,
                "%s is off by %.3g of its size, %.3g (expected up to %.3g of it)",
                name,
                off / size,
                size,
                part));
      }
    }
  }

  /** The root of the sum of squares of a matrix, or of its difference from another. */
  private static double norm(FloatMatrix matrix, FloatMatrix other) {
    double sum = 0;
    for (int i = 0; i < matrix.rows(); i++) {
      for (int j = 0; j < matrix.cols(); j++) {
        sum += Math.pow(matrix.get(i, j) - (other == null ? 0.0 : other.get(i, j)), 2);
      }
    }
    return Math.sqrt(sum);
  }

  private static void requireNames(
      String what, Map<String, FloatMatrix> expected, Map<String, FloatMatrix> actual)
      throws WrongResult {
    if (!expected.keySet().equals(actual.keySet())) {
      throw new WrongResult(
          what + " has " + actual.keySet() + " (expected " + expected.keySet() + ")");
    }
  }

  private static void requireShape(String what, FloatMatrix expected, FloatMatrix actual)
      throws WrongResult {
    if (actual.rows() != expected.rows() || actual.cols() != expected.cols()) {
      throw new WrongResult(
          what + " is " + actual.shape() + " (expected " + expected.shape() + ")");
    }
  }
}
