package dev.switchyard.bench.experiment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Arithmetic on one number a step. */
final class Series {
  private static final int SPANS = 40;

  private Series() {}

  /** The mean over the last fortieth of the steps; not a number where one of them is none. */
  static double[] smooth(double[] values) {
    int span = Math.max(1, values.length / SPANS);
    double[] means = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      means[i] = Arrays.stream(values, Math.max(0, i - span + 1), i + 1).average().orElseThrow();
    }
    return means;
  }

  /** The steps at which a value reaches a limit that the one before did not. */
  static List<Integer> crossings(double[] values, double limit) {
    List<Integer> steps = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      if (values[i] >= limit && (i == 0 || !(values[i - 1] >= limit))) {
        steps.add(i);
      }
    }
    return steps;
  }

  /** How many of some events come {@code from} to {@code to} steps after one of the causes. */
  static int following(List<Integer> events, List<Integer> causes, int from, int to) {
    return (int)
        events.stream()
            .filter(event -> causes.stream().anyMatch(c -> event - c >= from && event - c <= to))
            .count();
  }

  /** The part of all steps that lie {@code from} to {@code to} steps after one of the causes. */
  static double covered(int steps, List<Integer> causes, int from, int to) {
    boolean[] covered = new boolean[steps];
    for (int cause : causes) {
      for (int i = cause + from; i <= Math.min(steps - 1, cause + to); i++) {
        covered[i] = true;
      }
    }
    int count = 0;
    for (boolean c : covered) {
      count += c ? 1 : 0;
    }
    return (double) count / steps;
  }
}
