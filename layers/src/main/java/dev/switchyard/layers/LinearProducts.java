package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.NonFiniteException;
import java.util.Locale;

/** The three products of a linear layer in one precision. Shapes are checked by the layer. */
sealed interface LinearProducts
    permits FloatProducts, QuantizedProducts, OutlierProducts, Float8Products, SwitchedProducts {
  /**
   * Y = X W^T + b. x [rows, in], y [rows, out].
   *
   * @param keep whether the weight gradient will be wanted
   * @return the form of X in which {@link #weightGradient} wants it; null if not to keep
   */
  Matrix output(Tape tape, FloatMatrix x, Epilogue bias, boolean keep, FloatMatrix y);

  /** dX = G W. g [rows, out], gx [rows, in]. */
  void inputGradient(Tape tape, FloatMatrix g, FloatMatrix gx);

  /** dW += G^T X. g [rows, out], kept is X [rows, in], gw [out, in]. */
  void weightGradient(Tape tape, FloatMatrix g, Matrix kept, FloatMatrix gw);

  /** The type of the third product's operands; null if the products are of several precisions. */
  ElementType weightGradientType();

  /**
   * Gets ready to compute the first product without the weight, if such a form is smaller.
   *
   * @return the bytes of that form; 0 if there is none
   */
  default long keepForInference(Kernels kernels) {
    return 0;
  }

  /** Rounds an operand, and says of which layer if that fails. */
  static void quantize(Tape tape, String what, Parameter weight, Runnable rounding) {
    try {
      tape.timed(Profile.Part.QUANTIZE, rounding);
    } catch (NonFiniteException e) {
      throw new NonFiniteException(
          String.format(
              Locale.ROOT,
              "%s of the layer with weight %s cannot be quantized: %s",
              what,
              weight,
              e.getMessage()),
          e);
    }
  }
}
