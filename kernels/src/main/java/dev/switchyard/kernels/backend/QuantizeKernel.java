package dev.switchyard.kernels.backend;

/** The inner loops of quantization, each over one row. */
public interface QuantizeKernel {
  /**
   * The largest magnitude of a row, as the bits of a float. The order of non-negative floats is
   * that of their bits, and infinities and NaNs come above every number, so that one integer
   * maximum finds both the scale and whether a value is not finite.
   */
  int absMaxBits(float[] x, int offset, int length);

  /** Raises {@code columnMax[column + j]} to the bits of the magnitude of element j. */
  void raiseAbsMaxBits(float[] x, int offset, int length, int[] columnMax, int column);

  /**
   * {@code q[j] = rne(x[j] * inverse)}, clamped to [-127, 127]; all products are finite.
   *
   * @param inverses one factor a column, or null for {@code inverse} everywhere
   * @return the sum of q
   */
  int toNearest(
      float[] x, int offset, int length, float inverse, float[] inverses, byte[] q, int qOffset);

  /**
   * {@code v = x[j] * inverse}, {@code q[j] = floor(v) + (uniform(key, j) < v - floor(v))}, clamped
   * to [-127, 127]; all products are finite.
   *
   * @param inverses one factor a column, or null for {@code inverse} everywhere
   * @return the sum of q
   */
  int stochastic(
      float[] x,
      int offset,
      int length,
      float inverse,
      float[] inverses,
      long key,
      byte[] q,
      int qOffset);

  /** {@code x[j] = scale * q[j]}. */
  void widen(byte[] q, int qOffset, int length, float scale, float[] x, int offset);
}
