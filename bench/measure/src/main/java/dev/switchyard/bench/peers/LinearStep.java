package dev.switchyard.bench.peers;

/**
 * A prepared training step of one linear layer, 32-bit floats in and out:
 *
 * <pre>
 *   Y = X W^T + b      dX = G W      dW = G^T X      db = column sums of G
 * </pre>
 */
public interface LinearStep {
  /** Computes all four anew, as if the weight had changed since. */
  void run();

  /** Copies of the results. */
  Result result();

  /**
   * What a step computes, row by row.
   *
   * @param output Y [rows, out]
   * @param inputGradient dX [rows, in]
   * @param weightGradient dW [out, in]
   * @param biasGradient db [out]
   */
  record Result(
      float[] output, float[] inputGradient, float[] weightGradient, float[] biasGradient) {}
}
