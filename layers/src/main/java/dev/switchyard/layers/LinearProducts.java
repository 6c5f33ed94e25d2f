package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.NonFiniteException;
import java.util.Locale;

/**
 * The three products of a {@link Linear} layer. Those of each {@link Precision} are such, and so
 * may be one's own, see {@link LinearBuilder#products}:
 *
 * <pre>
 *   Y = X W^T + b      dX = G W      dW += G^T X      G = dY
 * </pre>
 *
 * <p>The layer checks shapes, and asks for a gradient only where it is wanted. A {@link
 * PackedWeight} keeps a form of the weight until that changes; scratch is taken from the tape and
 * given back. For use by one thread at a time, as the layer.
 */
public interface LinearProducts {
  /** Makes the products of a layer. */
  @FunctionalInterface
  interface Factory {
    /**
     * Makes products that share nothing with others.
     *
     * @param weight [out, in], whose value is read whenever it has changed
     * @return its products
     */
    LinearProducts of(Parameter weight);
  }

  /**
   * Y = X W^T + b.
   *
   * @param tape gives scratch, and has the kernels
   * @param x [rows, in]
   * @param bias adds b, if there is one
   * @param keep whether the weight gradient may be wanted
   * @param y [rows, out], to be filled
   * @return the form of X [rows, in] in which {@link #weightGradient} wants it: x itself, or a
   *     result of the tape; null if not to keep
   */
  Matrix output(Tape tape, FloatMatrix x, Epilogue bias, boolean keep, FloatMatrix y);

  /**
   * dX = G W.
   *
   * @param tape gives scratch, and has the kernels
   * @param g [rows, out]
   * @param gx [rows, in], to be filled
   */
  void inputGradient(Tape tape, FloatMatrix g, FloatMatrix gx);

  /**
   * dW += G^T X.
   *
   * @param tape gives scratch, and has the kernels
   * @param g [rows, out]
   * @param kept what {@link #output} has returned
   * @param gw [out, in], to be added to
   */
  void weightGradient(Tape tape, FloatMatrix g, Matrix kept, FloatMatrix gw);

  /**
   * Gets ready to compute the first product without the weight's value, see {@link
   * Precisions#release}.
   *
   * @param kernels what will compute
   * @return the bytes of what is computed with then; 0 if the value stays needed
   */
  default long keepForInference(Kernels kernels) {
    return 0;
  }

  /**
   * Rounds an operand, measured as {@link Profile.Part#QUANTIZE}, and says of which layer if a
   * number is not finite.
   *
   * @param tape measures
   * @param what the operand's name in a sentence, such as {@code the input}
   * @param weight of the layer
   * @param rounding does it
   * @throws NonFiniteException if {@code rounding} throws one
   */
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
