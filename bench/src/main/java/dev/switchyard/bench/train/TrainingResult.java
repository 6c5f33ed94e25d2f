package dev.switchyard.bench.train;

import dev.switchyard.bench.statistics.Interval;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;

/**
 * What came of a training.
 *
 * @param precision the name of the precision it ran in
 * @param tests the number of test images
 * @param mistakes which of them it takes for what they are not, from 0
 * @param finalLoss the training loss at the end
 * @param losses the loss of each step; not finite where the training diverged
 */
public record TrainingResult(
    String precision, int tests, List<Integer> mistakes, double finalLoss, List<Double> losses) {
  /** Takes copies. */
  public TrainingResult {
    mistakes = List.copyOf(mistakes);
    losses = List.copyOf(losses);
    for (int mistake : mistakes) {
      if (mistake < 0 || mistake >= tests) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "mistakes has %d (expected 0 to %d)", mistake, tests - 1));
      }
    }
  }

  /** The part of the test images that it gets right, from 0 to 1. */
  public double testAccuracy() {
    return (double) (tests - mistakes.size()) / tests;
  }

  /** How much more of the same test images it gets right than another, as a part of them. */
  public Interval accuracyOver(TrainingResult other) {
    return Interval.ofAccuracies(right(), other.right(), tests);
  }

  private BitSet right() {
    BitSet right = new BitSet(tests);
    right.set(0, tests);
    mistakes.forEach(right::clear);
    return right;
  }
}
