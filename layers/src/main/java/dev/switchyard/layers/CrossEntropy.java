package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.List;
import java.util.Locale;

/**
 * The mean cross-entropy of rows of scores with their labels, n the number of rows and c that of
 * classes:
 *
 * <pre>
 *   p = softmax(x)      loss = -(sum of t_ij log p_ij) / n      dx = (p - t) / n
 *   t = (1 - smoothing) onehot(label) + smoothing / c
 * </pre>
 *
 * Label smoothing is that of Szegedy et al. 2016, section 7; without it t is 1 for the label and 0
 * elsewhere.
 */
public final class CrossEntropy {
  private final float smoothing;

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
    if (!(smoothing >= 0 && smoothing <= 1)) {
      throw new IllegalArgumentException("smoothing is " + smoothing + " (expected 0 to 1)");
    }
    this.smoothing = smoothing;
  }

  // x [n, classes] -> loss [1, 1]; p [n, classes]
  /**
   * Computes the loss and records how to go back.
   *
   * @param tape records and computes
   * @param x scores (logits), [n, classes] with n at least 1
   * @param labels the right class of each row
   * @return the loss, 1x1
   * @throws IllegalArgumentException if there is no row, or a label is missing or out of range
   */
  public Tensor forward(Tape tape, Tensor x, int... labels) {
    checkLabels(x, labels);
    FloatMatrix scores = x.value();
    FloatMatrix p = tape.result(x.rows(), x.cols());
    FloatMatrix loss = tape.result(1, 1);
    float[] lse = tape.result(1, x.rows()).data();
    scores.copyTo(p);
    tape.kernels().elementwise().softmax(p, 1, lse, 0);
    double sum = 0;
    for (int i = 0; i < x.rows(); i++) {
      // The targets of a row sum to 1, and log p is x - lse.
      sum += (double) lse[i] - (1 - smoothing) * (double) scores.get(i, labels[i]);
      sum -= smoothing == 0 ? 0 : smoothing * mean(scores, i);
    }
    loss.set(0, 0, (float) (sum / x.rows()));
    int[] kept = labels.clone(); // the caller may fill in the next batch's before going back
    return tape.record(
        loss,
        List.of(x),
        List.of(),
        List.of(p),
        gLoss -> backward(tape, x, p, kept, gLoss.get(0, 0)));
  }

  private static double mean(FloatMatrix scores, int row) {
    double sum = 0;
    for (int j = 0; j < scores.cols(); j++) {
      sum += scores.get(row, j);
    }
    return sum / scores.cols();
  }

  // gLoss [1, 1] -> gx [n, classes]
  private void backward(Tape tape, Tensor x, FloatMatrix p, int[] labels, float gLoss) {
    float scale = gLoss / x.rows();
    float everywhere = smoothing / x.cols();
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        float target = everywhere + (j == labels[i] ? 1 - smoothing : 0);
        gx.set(i, j, scale * (p.get(i, j) - target));
      }
    }
    tape.addGrad(x, gx);
  }

  private static void checkLabels(Tensor x, int[] labels) {
    if (x.rows() == 0 || labels.length != x.rows()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "scores are %dx%d but there are %d labels (expected 1 or more rows, a label each)",
              x.rows(),
              x.cols(),
              labels.length));
    }
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] < 0 || labels[i] >= x.cols()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "label %d is %d (expected 0 to %d)", i, labels[i], x.cols() - 1));
      }
    }
  }
}
