package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.Float8Rounding;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.layers.Profile.Part;

/**
 * The products of a linear layer with operands rounded to float8, which is simulated: the rounded
 * operands are multiplied as floats. With f the rounding of X and W and b that of G, by row or by
 * tensor,
 *
 * <pre>
 *   Y  = f(X) f_tensor(W)^T + b
 *   dX = b(G) f_tensor(W)
 *   dW = G^T X                SwitchBack: row-wise scales of X and G
 *      = b(G)^T f(X)          tensor-wise scales
 * </pre>
 */
final class Float8Products implements LinearProducts {
  private final Float8Rounding ofInput;
  private final Float8Rounding ofWeight;
  private final Float8Rounding ofGradient;
  private final ElementType weightGradient;
  private final Parameter weight;
  private final PackedWeight forward = new PackedWeight();
  private final PackedWeight backward = new PackedWeight();

  /**
   * @param scaling of X and G; if it is TENSOR, the weight gradient too is of rounded operands
   * @param forwardFormat of X and W
   * @param backwardFormat of G
   * @param weightGradient type of the weight gradient
   */
  Float8Products(
      Scaling scaling,
      Float8Format forwardFormat,
      Float8Format backwardFormat,
      ElementType weightGradient,
      Parameter weight) {
    this.ofInput = new Float8Rounding(forwardFormat, scaling);
    this.ofWeight = new Float8Rounding(forwardFormat, Scaling.TENSOR);
    this.ofGradient = new Float8Rounding(backwardFormat, scaling);
    this.weightGradient = weightGradient;
    this.weight = weight;
  }

  @Override
  public Matrix output(Tape tape, FloatMatrix x, Epilogue bias, boolean keep, FloatMatrix y) {
    PackedMatrix w = packed(tape, Form.NT, forward);
    FloatMatrix rounded = round(tape, "the input", x, ofInput);
    tape.timed(Part.MULTIPLY, () -> tape.kernels().multiply(rounded, w, bias, y));
    tape.giveBack(rounded);
    return keep ? x : null;
  }

  @Override
  public void inputGradient(Tape tape, FloatMatrix g, FloatMatrix gx) {
    PackedMatrix w = packed(tape, Form.NN, backward);
    FloatMatrix rounded = round(tape, "the output gradient", g, ofGradient);
    tape.timed(Part.MULTIPLY, () -> tape.kernels().multiply(rounded, w, Epilogue.STORE, gx));
    tape.giveBack(rounded);
  }

  @Override
  public void weightGradient(Tape tape, FloatMatrix g, Matrix kept, FloatMatrix gw) {
    if (ofInput.scaling() == Scaling.TENSOR) {
      FloatMatrix roundedG = round(tape, "the output gradient", g, ofGradient);
      FloatMatrix roundedX = round(tape, "the input", (FloatMatrix) kept, ofInput);
      multiplyTransposed(tape, roundedG, roundedX, gw);
      tape.giveBack(roundedG);
      tape.giveBack(roundedX);
    } else {
      multiplyTransposed(tape, g, kept, gw);
    }
  }

  private void multiplyTransposed(Tape tape, FloatMatrix g, Matrix x, FloatMatrix gw) {
    tape.timed(
        Part.WEIGHT_GRADIENT,
        () -> tape.kernels().multiply(weightGradient, Form.TN, g, x, Epilogue.ACCUMULATE, gw));
  }

  private PackedMatrix packed(Tape tape, Form form, PackedWeight cached) {
    Kernels kernels = tape.kernels();
    if (cached.isStale(weight, kernels)) {
      FloatMatrix rounded = round(tape, "the weight", weight.value(), ofWeight);
      tape.timed(
          Part.MULTIPLY, // as the packing of a float32 layer's weight
          () -> kernels.pack(ElementType.FLOAT32, form, rounded, cached.toFill()));
      cached.markPacked(weight, kernels);
      tape.giveBack(rounded);
    }
    return cached.panels();
  }

  private FloatMatrix round(Tape tape, String what, FloatMatrix x, Float8Rounding rounding) {
    FloatMatrix rounded = tape.take(x.rows(), x.cols());
    LinearProducts.quantize(
        tape,
        what,
        weight,
        () -> tape.kernels().roundToFloat8(x, rounding, tape.kernels().nonFinite(), rounded));
    return rounded;
  }
}
