package dev.switchyard.layers;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Scaling;

/**
 * In which numbers a {@link Linear} layer computes its three products. Activations, gradients and
 * weights are float32 outside of them. For int8, each operand has one scale a row, a column, or
 * (tensor) a single one:
 *
 * <pre>
 *                Y = X W^T         dX = G W          dW = G^T X           kept for dW
 *   FLOAT32      float32           float32           float32              X
 *   BFLOAT16     bfloat16          bfloat16          bfloat16             X
 *   SWITCHBACK   int8 row, tensor  int8 row, tensor  float32              X
 *   SWITCHBACK_M int8 row, tensor  int8 row, tensor  float32              int8 X
 *   SWITCHBACK_Q int8 row, row     int8 row, column  float32              X
 *   INT8_ALL     int8 row, row     int8 row, column  int8 column, column  X
 * </pre>
 *
 * <p>SwitchBack and its relatives can also compute the weight gradient in bfloat16, as the paper
 * does on GPUs: see {@link Linear#Linear(Parameter, Parameter, Precision, ElementType)}.
 */
public enum Precision {
  /** All three products in 32-bit floats. */
  FLOAT32,

  /** All three products with operands rounded to bfloat16 and float32 sums. */
  BFLOAT16,

  /**
   * Output and input gradient in int8, weight gradient in float32 (Wortsman et al. 2023, algorithm
   * 1). The sum of a weight gradient runs over the tokens of a batch, many more than there are
   * features, and quantization noise grows with the length of the sum.
   */
  SWITCHBACK,

  /** SwitchBack that keeps the input in int8 only: a quarter of the memory. */
  SWITCHBACK_M,

  /** SwitchBack with one scale for each output (forward) and input (backward) of the weight. */
  SWITCHBACK_Q,

  /**
   * All three products in int8, in the manner of LLM.int8(): the baseline that SwitchBack improves.
   */
  INT8_ALL;

  /** The type of the weight gradient's operands unless a layer asks for another. */
  ElementType weightGradient() {
    return switch (this) {
      case BFLOAT16 -> ElementType.BFLOAT16;
      case INT8_ALL -> ElementType.INT8;
      default -> ElementType.FLOAT32;
    };
  }

  /** Whether the weight gradient may have operands of this type. */
  boolean allows(ElementType ofWeightGradient) {
    return switch (this) {
      case SWITCHBACK, SWITCHBACK_M, SWITCHBACK_Q -> ofWeightGradient != ElementType.INT8;
      default -> ofWeightGradient == weightGradient();
    };
  }

  /** The three products of a layer with this weight. */
  LinearProducts products(Parameter weight, ElementType ofWeightGradient) {
    return switch (this) {
      case FLOAT32 -> new FloatProducts(ElementType.FLOAT32, weight);
      case BFLOAT16 -> new FloatProducts(ElementType.BFLOAT16, weight);
      case SWITCHBACK ->
          new QuantizedProducts(
              Scaling.TENSOR, Scaling.TENSOR, ElementType.FLOAT32, ofWeightGradient, weight);
      case SWITCHBACK_M ->
          new QuantizedProducts(
              Scaling.TENSOR, Scaling.TENSOR, ElementType.INT8, ofWeightGradient, weight);
      case SWITCHBACK_Q, INT8_ALL ->
          new QuantizedProducts(
              Scaling.ROW, Scaling.COLUMN, ElementType.FLOAT32, ofWeightGradient, weight);
    };
  }
}
