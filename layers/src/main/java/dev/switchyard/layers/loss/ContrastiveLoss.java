package dev.switchyard.layers.loss;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Node;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.norm.L2Normalization;
import java.util.List;
import java.util.Locale;

/**
 * The loss of CLIP (Radford et al. 2021, figure 3): of n pairs, each image shall find its text
 * among the n texts, and each text its image. With rows u of U and v of V the embeddings of images
 * and texts, scaled to length 1, and a learned inverse temperature e^t:
 *
 * <pre>
 *   L = e^t U V^T      P = softmax of the rows of L      Q = softmax of the columns of L
 *   loss = -(sum of log P_ii + log Q_ii) / 2n
 *   dL = (P + Q - 2 I) / 2n      dU = e^t dL V      dV = e^t dL^T U      dt = sum of dL L
 * </pre>
 *
 * As in the paper, e^t is at most 100; a gradient that would take t over this limit is dropped.
 */
public final class ContrastiveLoss implements Model {
  private static final double INITIAL_TEMPERATURE = 0.07; // Radford et al. 2021, section 2.5
  private static final float LARGEST = (float) Math.log(100);

  private final L2Normalization unit = new L2Normalization();
  private final Parameter logScale;

  /**
   * A loss whose temperature is 0.07 at first.
   *
   * @param name prefix of the parameter's name
   */
  public ContrastiveLoss(String name) {
    logScale = Parameter.vector(name + ".logScale", (float) -Math.log(INITIAL_TEMPERATURE));
  }

  // images [n, size], texts [n, size] -> loss [1, 1]
  /**
   * Computes the loss and records how to go back.
   *
   * @param tape records and computes
   * @param images embeddings of any length, [n, size] with n at least 1
   * @param texts the embedding of the text of each image, [n, size]
   * @return the loss, 1x1
   * @throws IllegalArgumentException if the shapes differ or there are no rows
   * @throws dev.switchyard.kernels.data.NonFiniteException if the loss of a pair is not finite and
   *     the policy of the tape's kernels is to reject it
   */
  public Tensor forward(Tape tape, Tensor images, Tensor texts) {
    if (images.rows() == 0 || images.rows() != texts.rows() || images.cols() != texts.cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "images are %s but texts are %s (expected equal, with 1 or more rows)",
              images.value().shape(),
              texts.value().shape()));
    }
    return ofUnitRows(tape, unit.forward(tape, images), unit.forward(tape, texts));
  }

  // u [n, size], v [n, size] -> loss [1, 1]; p, q [n, n], q transposed: a row for each text
  private Tensor ofUnitRows(Tape tape, Tensor u, Tensor v) {
    int n = u.rows();
    float scale = scale();
    FloatMatrix cosines = tape.result(n, n);
    FloatMatrix p = tape.result(n, n);
    FloatMatrix q = tape.result(n, n);
    FloatMatrix ofP = tape.result(n, 2); // normalizers
    FloatMatrix ofQ = tape.result(n, 2);
    multiply(tape, Form.NT, u.value(), v.value(), cosines);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        p.set(i, j, cosines.get(i, j));
        q.set(j, i, cosines.get(i, j));
      }
    }
    tape.kernels().elementwise().softmax(p, scale, ofP.data(), 0);
    tape.kernels().elementwise().softmax(q, scale, ofQ.data(), 0);
    double sum = 0;
    for (int i = 0; i < n; i++) {
      // Differences from the largest: no term is below 0.
      double cosine = cosines.get(i, i);
      double ofPair =
          ofP.get(i, 1)
              + scale * (ofP.get(i, 0) - cosine)
              + ofQ.get(i, 1)
              + scale * (ofQ.get(i, 0) - cosine);
      int pair = i;
      NonFinite.check(
          tape,
          ofPair,
          () ->
              String.format(
                  Locale.ROOT,
                  "the contrastive loss of pair %d of %d is %s (expected finite embeddings)",
                  pair,
                  n,
                  ofPair));
      sum += ofPair;
    }
    FloatMatrix loss = tape.result(1, 1);
    loss.set(0, 0, (float) (sum / (2 * n)));
    return tape.node(loss)
        .from(u, v)
        .uses(logScale)
        .keeps(u.value(), v.value(), cosines, p, q)
        .backward((gLoss, kept) -> backward(tape, u, v, kept, gLoss.get(0, 0)));
  }

  // gLoss [1, 1] -> gu [n, size], gv [n, size], gt
  private void backward(Tape tape, Tensor u, Tensor v, Node.Kept kept, float gLoss) {
    FloatMatrix cosines = kept.floats(2);
    FloatMatrix p = kept.floats(3);
    FloatMatrix q = kept.floats(4);
    int n = u.rows();
    float scale = scale();
    FloatMatrix g = tape.take(n, n); // of the cosines: e^t dL
    double sum = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double gl = gLoss * ((double) p.get(i, j) + q.get(j, i) - (i == j ? 2 : 0)) / (2 * n);
        sum += gl * scale * cosines.get(i, j);
        g.set(i, j, (float) (scale * gl));
      }
    }
    boolean atLimit = logScale.value().get(0, 0) >= LARGEST;
    if (!logScale.frozen() && !(atLimit && sum < 0)) {
      logScale.grad().data()[0] += (float) sum;
    }
    passBack(tape, u, Form.NN, g, kept.floats(1));
    passBack(tape, v, Form.TN, g, kept.floats(0));
    tape.giveBack(g);
  }

  private static void passBack(Tape tape, Tensor to, Form form, FloatMatrix g, FloatMatrix other) {
    if (to.wantsGrad()) {
      FloatMatrix gx = tape.take(to.rows(), to.cols());
      multiply(tape, form, g, other, gx);
      tape.addGrad(to, gx);
    }
  }

  private static void multiply(Tape tape, Form form, FloatMatrix a, FloatMatrix b, FloatMatrix c) {
    Kernels kernels = tape.kernels();
    kernels.multiply(ElementType.FLOAT32, form, a, b, Epilogue.STORE, c);
  }

  /**
   * The inverse temperature.
   *
   * @return e^t, at most 100
   */
  public float scale() {
    return (float) Math.exp(Math.min(logScale.value().get(0, 0), LARGEST));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(logScale);
  }
}
