package dev.switchyard.kernels.data;

/**
 * What happens to a product's accumulator on its way to C. With {@code acc} the exact int32 sum of
 * an int8 product and {@code s} the float product of the two scales,
 *
 * <pre>
 *   y = fma(acc, s, bias)      int8
 *   y = acc + bias             float32, bfloat16
 *   C = accumulate ? C + y : y
 * </pre>
 *
 * @param bias one value a column of C, or null for none
 * @param accumulate whether y is added to what C holds
 */
public record Epilogue(float[] bias, boolean accumulate) {
  /** Overwrite C with the product. */
  public static final Epilogue STORE = new Epilogue(null, false);

  /** Add the product to C. */
  public static final Epilogue ACCUMULATE = new Epilogue(null, true);

  /**
   * Overwrite C with the product plus a bias.
   *
   * @param bias one value a column, or null for none; read when the product runs, not copied
   * @return the epilogue
   */
  public static Epilogue bias(float[] bias) {
    return bias == null ? STORE : new Epilogue(bias, false);
  }
}
