package dev.switchyard.bench.adapt;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.BitSet;
import java.util.List;

/**
 * How well a classifier does.
 *
 * @param accuracy the part of the texts whose highest score is that of their class
 * @param texts how many there are
 * @param right which of them are right
 * @param macroF1 the mean over classes of {@code 2 tp / (2 tp + fp + fn)}
 */
record Quality(double accuracy, int texts, BitSet right, double macroF1) {
  /**
   * Compares scores with labels.
   *
   * @param scores [texts, classes], at least one text
   */
  static Quality of(FloatMatrix scores, List<Integer> labels) {
    int[] hits = new int[scores.cols()];
    int[] predicted = new int[scores.cols()];
    int[] present = new int[scores.cols()];
    BitSet right = new BitSet(scores.rows());
    for (int i = 0; i < scores.rows(); i++) {
      int guess = highest(scores, i);
      int label = labels.get(i);
      predicted[guess]++;
      present[label]++;
      if (guess == label) {
        hits[label]++;
        right.set(i);
      }
    }
    double sum = 0;
    for (int c = 0; c < scores.cols(); c++) {
      int counted = predicted[c] + present[c]; // 2 tp + fp + fn
      sum += counted == 0 ? 1 : 2.0 * hits[c] / counted;
    }
    return new Quality(
        (double) right.cardinality() / scores.rows(), scores.rows(), right, sum / scores.cols());
  }

  /** The class with the highest score, of equal ones the first. */
  static int highest(FloatMatrix scores, int row) {
    int best = 0;
    for (int c = 1; c < scores.cols(); c++) {
      best = scores.get(row, c) > scores.get(row, best) ? c : best;
    }
    return best;
  }
}
