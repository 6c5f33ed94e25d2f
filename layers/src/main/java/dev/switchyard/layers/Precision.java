package dev.switchyard.layers;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Float8Format;
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
 *   SWITCHBACK   int8 row, tensor  int8 row, tensor  bfloat16             X
 *   SWITCHBACK_M int8 row, tensor  int8 row, tensor  bfloat16             int8 X
 *   SWITCHBACK_Q int8 row, row     int8 row, column  bfloat16             X
 *   SWITCHBACK_OUTLIERS int8 row, row, but for outliers; the rest as SWITCHBACK_Q
 *   INT8_ALL     int8 row, row     int8 row, column  int8 column, column  X
 *   FP8_SWITCHBACK  E4M3 row, tensor     E5M2 row, E4M3 tensor     float32            X
 *   FP8_TENSORWISE  E4M3 tensor, tensor  E5M2 tensor, E4M3 tensor  E5M2, E4M3 tensor  X
 * </pre>
 *
 * float8 is simulated: operands are rounded to its numbers and multiplied as floats. FP8_..._PAPER
 * are the same in the codebook of the paper, see {@link Float8Format}.
 *
 * <p>SwitchBack and its relatives compute the weight gradient in a 16-bit type, as the paper does,
 * and can compute it in float32: see {@link LinearBuilder#weightGradient}.
 */
public enum Precision {
  /** All three products in 32-bit floats. */
  FLOAT32,

  /** All three products with operands rounded to bfloat16 and float32 sums. */
  BFLOAT16,

  /**
   * Output and input gradient in int8, weight gradient in higher precision (Wortsman et al. 2023,
   * algorithm 1): operands in bfloat16, sums in float32. The sum of a weight gradient runs over the
   * tokens of a batch, many more than there are features, and quantization noise grows with the
   * length of the sum.
   */
  SWITCHBACK,

  /** SwitchBack that keeps the input in int8 only: a quarter of the memory. */
  SWITCHBACK_M,

  /** SwitchBack with one scale for each output (forward) and input (backward) of the weight. */
  SWITCHBACK_Q,

  /**
   * SWITCHBACK_Q whose output leaves to float32 what is large beside the rest of its row, and has
   * scales for every 192 inputs or fewer: for models that were trained in floats, whose features
   * have outliers. See {@link dev.switchyard.kernels.Outliers}.
   */
  SWITCHBACK_OUTLIERS,

  /**
   * All three products in int8, in the manner of LLM.int8(): the baseline that SwitchBack improves.
   */
  INT8_ALL,

  /** SwitchBack in simulated float8: a scale for each row of input and output gradient. */
  FP8_SWITCHBACK,

  /**
   * All three products in simulated float8 with one scale for each operand: the baseline that
   * diverges in large models unless features are kept small, as by {@link
   * dev.switchyard.layers.norm.LayerScale}.
   */
  FP8_TENSORWISE,

  /** {@link #FP8_SWITCHBACK} in the codebook of the paper. */
  FP8_SWITCHBACK_PAPER,

  /** {@link #FP8_TENSORWISE} in the codebook of the paper. */
  FP8_TENSORWISE_PAPER;

  /** The type of the weight gradient's operands unless a layer asks for another. */
  ElementType weightGradient() {
    return switch (this) {
      case BFLOAT16, SWITCHBACK, SWITCHBACK_M, SWITCHBACK_Q, SWITCHBACK_OUTLIERS ->
          ElementType.BFLOAT16;
      case INT8_ALL -> ElementType.INT8;
      default -> ElementType.FLOAT32;
    };
  }

  /**
   * Whether a layer can be asked to compute its weight gradient in a type.
   *
   * @param type of the operands
   * @return true if {@link LinearBuilder#weightGradient} takes it
   */
  public boolean allowsWeightGradient(ElementType type) {
    return switch (this) {
      case SWITCHBACK,
          SWITCHBACK_M,
          SWITCHBACK_Q,
          SWITCHBACK_OUTLIERS,
          FP8_SWITCHBACK,
          FP8_SWITCHBACK_PAPER ->
          type != ElementType.INT8;
      default -> type == weightGradient();
    };
  }

  void requireWeightGradient(ElementType type) {
    if (!allowsWeightGradient(type)) {
      throw new IllegalArgumentException(
          "precision " + this + " does not compute weight gradients in " + type);
    }
  }

  /** Makes products of one precision with a type of the weight gradient. */
  record Products(Precision precision, ElementType weightGradient)
      implements LinearProducts.Factory {
    Products {
      precision.requireWeightGradient(weightGradient);
    }

    @Override
    public LinearProducts of(Parameter weight) {
      return precision.products(weight, weightGradient);
    }
  }

  LinearProducts products(Parameter weight) {
    return products(weight, weightGradient());
  }

  /** The three products of a layer with this weight. */
  private LinearProducts products(Parameter weight, ElementType ofWeightGradient) {
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
      case SWITCHBACK_OUTLIERS ->
          new OutlierProducts(weight, SWITCHBACK_Q.products(weight, ofWeightGradient));
      case FP8_SWITCHBACK, FP8_TENSORWISE ->
          new Float8Products(
              scaling(), Float8Format.E4M3, Float8Format.E5M2, ofWeightGradient, weight);
      case FP8_SWITCHBACK_PAPER, FP8_TENSORWISE_PAPER ->
          new Float8Products(
              scaling(),
              Float8Format.E4M3_PAPER,
              Float8Format.E5M2_PAPER,
              ofWeightGradient,
              weight);
    };
  }

  /** The scales of input and output gradient in float8. */
  private Scaling scaling() {
    return this == FP8_TENSORWISE || this == FP8_TENSORWISE_PAPER ? Scaling.TENSOR : Scaling.ROW;
  }

  /** Whether output and input gradient of the two are the same, and so is the rounded weight. */
  boolean sharesWeight(Precision other) {
    return this == other || (keepsOneInt8Weight() && other.keepsOneInt8Weight());
  }

  private boolean keepsOneInt8Weight() {
    return this == SWITCHBACK || this == SWITCHBACK_M;
  }

  /** Whether the weight gradient can be computed from int8 X. */
  boolean takesInt8Input() {
    return this != INT8_ALL && this != FP8_TENSORWISE && this != FP8_TENSORWISE_PAPER;
  }
}
