package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.layers.Profile.Part;

/**
 * The products of a linear layer with int8 operands: SwitchBack and its relatives. With q the
 * quantization to int8 by row, column or tensor,
 *
 * <pre>
 *   Y  = q_row(X) q_f(W)^T + b
 *   dX = q_row(G) q_b(W)
 *   dW = G^T X                       SwitchBack
 *      = G^T q_row(X)                if only int8 X is kept
 *      = q_column(G)^T q_column(X)   if all products are int8
 * </pre>
 *
 * A scale must not lie along the dimension that a product sums over, which is why W needs a scale
 * for each row in the first product, for each column in the second, or a single one for both.
 */
final class QuantizedProducts implements LinearProducts {
  private final Scaling weightForward;
  private final Scaling weightBackward;
  private final ElementType kept;
  private final ElementType weightGradient;
  private final Parameter weight;
  private final PackedWeight forward = new PackedWeight();
  private final PackedWeight backward = new PackedWeight();
  private boolean goesBack; // known once the second product was asked for

  /**
   * @param weightForward scales of W in the first product
   * @param weightBackward scales of W in the second
   * @param kept in which type X waits for the third
   * @param weightGradient type of the third
   */
  QuantizedProducts(
      Scaling weightForward,
      Scaling weightBackward,
      ElementType kept,
      ElementType weightGradient,
      Parameter weight) {
    this.weightForward = weightForward;
    this.weightBackward = weightBackward;
    this.kept = kept;
    this.weightGradient = weightGradient;
    this.weight = weight;
  }

  @Override
  public Matrix output(Tape tape, FloatMatrix x, Epilogue bias, boolean keep, FloatMatrix y) {
    PackedMatrix w = packed(tape, Form.NT);
    QuantizedMatrix xq = quantize(tape, "the input", x, Scaling.ROW);
    tape.timed(Part.MULTIPLY, () -> tape.kernels().multiply(xq, w, bias, y));
    if (keep && kept == ElementType.INT8) {
      tape.keep(xq);
      return xq;
    }
    tape.giveBack(xq);
    return keep ? x : null;
  }

  @Override
  public void inputGradient(Tape tape, FloatMatrix g, FloatMatrix gx) {
    goesBack = true;
    PackedMatrix w = packed(tape, Form.NN);
    QuantizedMatrix gq = quantize(tape, "the output gradient", g, Scaling.ROW);
    tape.timed(Part.MULTIPLY, () -> tape.kernels().multiply(gq, w, Epilogue.STORE, gx));
    tape.giveBack(gq);
  }

  @Override
  public void weightGradient(Tape tape, FloatMatrix g, Matrix keptX, FloatMatrix gw) {
    if (weightGradient == ElementType.INT8 && keptX instanceof FloatMatrix x) {
      QuantizedMatrix gq = quantize(tape, "the output gradient", g, Scaling.COLUMN);
      QuantizedMatrix xq = quantize(tape, "the input", x, Scaling.COLUMN);
      multiplyTransposed(tape, ElementType.INT8, gq, xq, gw);
      tape.giveBack(gq);
      tape.giveBack(xq);
    } else {
      multiplyTransposed(tape, weightGradient, g, keptX, gw); // dequantizes X if need be
    }
  }

  private static void multiplyTransposed(
      Tape tape, ElementType type, Matrix g, Matrix x, FloatMatrix gw) {
    tape.timed(
        Part.WEIGHT_GRADIENT,
        () -> tape.kernels().multiply(type, Form.TN, g, x, Epilogue.ACCUMULATE, gw));
  }

  /** The int8 weight in the layout of a form, made anew if the weight has changed. */
  private PackedMatrix packed(Tape tape, Form form) {
    PackedWeight wanted = form == Form.NT ? forward : backward;
    if (wanted.isStale(weight, tape.kernels())) {
      LinearProducts.quantize(tape, "the weight", weight, () -> refresh(tape, form, wanted));
    }
    return wanted.panels();
  }

  private void refresh(Tape tape, Form form, PackedWeight wanted) {
    Kernels kernels = tape.kernels();
    FloatMatrix w = weight.value();
    Scaling scaling = form == Form.NT ? weightForward : weightBackward;
    QuantizedMatrix wq = tape.take(scaling, w.rows(), w.cols());
    if (scaling == Scaling.TENSOR && goesBack && forward.isStale(weight, kernels)) {
      // One int8 matrix serves both products: pack it in one pass.
      kernels.quantizeAndPack(w, kernels.nonFinite(), wq, forward.toFill(), backward.toFill());
      forward.markPacked(weight, kernels);
      backward.markPacked(weight, kernels);
    } else {
      kernels.quantize(w, wq);
      kernels.pack(ElementType.INT8, form, wq, wanted.toFill());
      wanted.markPacked(weight, kernels);
    }
    tape.giveBack(wq);
  }

  @Override
  public long keepForInference(Kernels kernels) {
    PackedMatrix panels = packed(Tape.none(kernels), Form.NT);
    backward.clear();
    goesBack = false;
    return panels.bytes();
  }

  private QuantizedMatrix quantize(Tape tape, String what, FloatMatrix x, Scaling scaling) {
    QuantizedMatrix q = tape.take(scaling, x.rows(), x.cols());
    LinearProducts.quantize(tape, what, weight, () -> tape.kernels().quantize(x, q));
    return q;
  }
}
