package dev.switchyard.layers.loss;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Arrays;
import java.util.Locale;

/**
 * The mean cross-entropy of rows of scores with their labels y, c the number of classes and w_j the
 * weight of class j, 1 if there are none; over the rows whose label is not the one to ignore:
 *
 * <pre>
 *   p = softmax(x)      t_ij = w_j ((1 - smoothing) [j = y_i] + smoothing / c)
 *   loss = -(sum of t_ij log p_ij) / n      dx_ij = (p_ij sum_k t_ik - t_ij) / n
 *   n = sum of w_(y_i), so the number of rows if there are no weights
 * </pre>
 *
 * Label smoothing is that of Szegedy et al. 2016, section 7; without it t is w for the label and 0
 * elsewhere. The loss is computed from differences of scores: a number that is added to all scores
 * of a row changes nothing. If n is 0, so are the loss and the gradients.
 *
 * <p>A score of -Infinity stands for a class that is impossible, and is fine where t is 0. Other
 * scores that are not finite are for the policy of the tape's kernels: the loss refuses them, or is
 * not finite and has a gradient of NaN in that row. Rows that are ignored, and those whose targets
 * are all 0, may hold anything.
 *
 * <p>Immutable and thread-safe.
 */
public final class CrossEntropy {
  /** The label that is ignored unless another was asked for. */
  public static final int IGNORED = -100;

  private final float smoothing;
  private final int ignored;
  private final float[] weights; // of classes; null if all are 1

  /** The loss without label smoothing. */
  public CrossEntropy() {
    this(0);
  }

  /**
   * The loss with label smoothing.
   *
   * @param smoothing the part of the target that is spread over all classes, from 0 to 1
   * @throws IllegalArgumentException if it is out of range
   */
  public CrossEntropy(float smoothing) {
    this(smoothing, IGNORED, null);
  }

  private CrossEntropy(float smoothing, int ignored, float[] weights) {
    if (!(smoothing >= 0 && smoothing <= 1)) {
      throw new IllegalArgumentException("smoothing is " + smoothing + " (expected 0 to 1)");
    }
    this.smoothing = smoothing;
    this.ignored = ignored;
    this.weights = weights;
  }

  /**
   * The same loss with another label to ignore.
   *
   * @param label rows with it do not count; a class of its own if it is not negative
   * @return the loss
   */
  public CrossEntropy withIgnored(int label) {
    return new CrossEntropy(smoothing, label, weights);
  }

  /**
   * The same loss with weights of classes, for classes that are rare. What counts is how they
   * compare; one below 1e-44 of the largest is 0.
   *
   * @param newWeights a weight for each class, 0 or more
   * @return the loss
   * @throws IllegalArgumentException if a weight is negative or not finite
   */
  public CrossEntropy withClassWeights(float... newWeights) {
    float largest = 0;
    for (int j = 0; j < newWeights.length; j++) {
      largest = Math.max(largest, newWeights[j]);
      if (!(newWeights[j] >= 0 && newWeights[j] <= Float.MAX_VALUE)) {
        throw new IllegalArgumentException(
            "weight of class " + j + " is " + newWeights[j] + " (expected 0 or more, and finite)");
      }
    }
    // The inverse of tiny ones is beyond float32, and that of huge ones is rounded to nothing.
    float[] scaled = newWeights.clone();
    for (int j = 0; j < scaled.length; j++) { // by a power of two, which changes no bits
      scaled[j] = (float) (scaled[j] * Math.scalb(1.0, -Math.getExponent(largest)));
    }
    return new CrossEntropy(smoothing, ignored, scaled);
  }

  // x [n, classes] -> loss [1, 1]; p [n, classes], normalizers [n, 2]
  /**
   * Computes the loss and records how to go back.
   *
   * @param tape records and computes
   * @param x scores (logits), [n, classes] with n at least 1
   * @param labels the right class of each row, or the label to ignore
   * @return the loss, 1x1
   * @throws IllegalArgumentException if there is no row, a label is missing or out of range, or
   *     there are class weights but not for each class
   * @throws dev.switchyard.kernels.data.NonFiniteException if the loss of a row that counts is not
   *     finite and the policy of the tape's kernels is to reject it
   */
  public Tensor forward(Tape tape, Tensor x, int... labels) {
    checkLabels(x, labels);
    FloatMatrix scores = x.value();
    FloatMatrix p = tape.result(x.rows(), x.cols());
    FloatMatrix loss = tape.result(1, 1);
    FloatMatrix normalizers = tape.result(x.rows(), 2);
    scores.copyTo(p);
    tape.kernels().elementwise().softmax(p, 1, normalizers.data(), 0);
    double sum = 0;
    double n = 0;
    for (int i = 0; i < x.rows(); i++) {
      if (!counts(labels[i])) {
        continue;
      }
      double ofRow = ofRow(scores, i, labels[i], normalizers.get(i, 0), normalizers.get(i, 1));
      int row = i;
      if (!Double.isFinite(ofRow)) {
        NonFinite.check(tape, ofRow, () -> sentence(scores, row, labels[row]));
        Arrays.fill(p.data(), p.rowIndex(i), p.rowIndex(i) + p.cols(), Float.NaN);
      }
      sum += ofRow;
      n += weight(labels[i]);
    }
    double divisor = n == 0 ? Double.POSITIVE_INFINITY : n;
    double mean = sum / divisor;
    NonFinite.check(
        tape, mean, () -> "the cross-entropy is " + mean + " (expected a number within float32)");
    loss.set(0, 0, (float) mean);
    // A mean that is beyond float32 though each row is finite goes back to all of them.
    double by = NonFinite.isFinite(mean) || !Double.isFinite(mean) ? divisor : Double.NaN;
    int[] kept = labels.clone(); // the caller may fill in the next batch's before going back
    return tape.node(loss)
        .from(x)
        .keeps(p)
        .backward(
            (gLoss, all) -> backward(tape, x, all.floats(0), kept, (float) (gLoss.get(0, 0) / by)));
  }

  /** -(sum of t_j log p_j), with -log p_j = log + (largest - x_j), both of which are 0 or more. */
  private double ofRow(FloatMatrix x, int row, int label, double largest, double log) {
    double sum = log * sumOfTargets(label);
    if (smoothing < 1 && weight(label) > 0) {
      sum += (1 - smoothing) * weight(label) * (largest - x.get(row, label));
    }
    for (int j = 0; smoothing > 0 && j < x.cols(); j++) {
      if (weight(j) > 0) {
        sum += (double) smoothing / x.cols() * weight(j) * (largest - x.get(row, j));
      }
    }
    return sum;
  }

  private boolean counts(int label) {
    return label != ignored && sumOfTargets(label) > 0;
  }

  private double sumOfTargets(int label) {
    if (weights == null) {
      return 1;
    }
    double sum = 0;
    for (int j = 0; smoothing > 0 && j < weights.length; j++) {
      sum += weights[j];
    }
    return (1.0 - smoothing) * weights[label] + smoothing * sum / weights.length;
  }

  private float weight(int label) {
    return weights == null ? 1 : weights[label];
  }

  // gLoss / n -> gx [n, classes]
  private void backward(Tape tape, Tensor x, FloatMatrix p, int[] labels, float scale) {
    float everywhere = smoothing / x.cols();
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    for (int i = 0; i < x.rows(); i++) {
      int label = labels[i];
      if (!counts(label)) {
        Arrays.fill(gx.data(), gx.rowIndex(i), gx.rowIndex(i) + gx.cols(), 0);
        continue;
      }
      float ofAll = (float) sumOfTargets(label);
      for (int j = 0; j < x.cols(); j++) {
        float target = weight(j) * (everywhere + (j == label ? 1 - smoothing : 0));
        gx.set(i, j, scale * (p.get(i, j) * ofAll - target));
      }
    }
    tape.addGrad(x, gx);
  }

  /** Which score of a row makes its loss infinite, or not a number. */
  private String sentence(FloatMatrix x, int row, int label) {
    int j = 0;
    while (isUsable(x.get(row, j), j, label)) {
      j++;
    }
    return String.format(
        Locale.ROOT,
        "score (%d, %d) of the %s scores is %s, with label %d and label smoothing %s (expected a"
            + " finite number, or -Infinity for a class without a part of the target)",
        row,
        j,
        x.shape(),
        x.get(row, j),
        label,
        smoothing);
  }

  private boolean isUsable(float score, int j, int label) {
    boolean hasTarget = weight(j) > 0 && (j == label || smoothing > 0);
    return Float.isFinite(score) || (score == Float.NEGATIVE_INFINITY && !hasTarget);
  }

  private void checkLabels(Tensor x, int[] labels) {
    if (x.rows() == 0 || labels.length != x.rows()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "scores are %dx%d but there are %d labels (expected 1 or more rows, a label each)",
              x.rows(),
              x.cols(),
              labels.length));
    }
    if (weights != null && weights.length != x.cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "scores are %dx%d but there are %d class weights (expected one for each class)",
              x.rows(),
              x.cols(),
              weights.length));
    }
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] != ignored && (labels[i] < 0 || labels[i] >= x.cols())) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "label %d is %d (expected 0 to %d, or %d to ignore the row)",
                i,
                labels[i],
                x.cols() - 1,
                ignored));
      }
    }
  }
}
