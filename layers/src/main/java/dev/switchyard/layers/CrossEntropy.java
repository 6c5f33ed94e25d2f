package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.List;
import java.util.Locale;

/**
 * The mean cross-entropy of rows of scores with their labels, n the number of rows:
 *
 * <pre>
 *   p = softmax(x)      loss = -(sum of log p_i,label_i) / n      dx = (p - onehot(label)) / n
 * </pre>
 */
public final class CrossEntropy {
  /** The loss. */
  public CrossEntropy() {}

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
    for (int i = 0; i < x.rows(); i++) {
      System.arraycopy(scores.data(), scores.rowIndex(i), p.data(), p.rowIndex(i), x.cols());
    }
    tape.kernels().elementwise().softmax(p, 1, lse, 0);
    double sum = 0;
    for (int i = 0; i < x.rows(); i++) {
      sum += (double) lse[i] - scores.get(i, labels[i]);
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

  // gLoss [1, 1] -> gx [n, classes]
  private static void backward(Tape tape, Tensor x, FloatMatrix p, int[] labels, float gLoss) {
    float scale = gLoss / x.rows();
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        gx.set(i, j, scale * (p.get(i, j) - (j == labels[i] ? 1 : 0)));
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
