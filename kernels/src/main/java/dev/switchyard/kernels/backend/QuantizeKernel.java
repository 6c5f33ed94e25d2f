package dev.switchyard.kernels.backend;

import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import java.util.Arrays;

/**
 * The inner loops of quantization, each over one row; and over many rows what training does most,
 * for backends that can do better than row by row.
 */
public interface QuantizeKernel {
  /** As {@link #absMaxBits(float[], int, int)}, over some rows. */
  default int absMaxBits(FloatMatrix x, int rowBegin, int rowEnd) {
    int max = 0;
    for (int i = rowBegin; i < rowEnd; i++) {
      max = Math.max(max, absMaxBits(x.data(), x.rowIndex(i), x.cols()));
    }
    return max;
  }

  /** Rounds some rows to the nearest, each with a {@link Scale} of its own. */
  default void quantizeRows(FloatMatrix x, int rowBegin, int rowEnd, QuantizedMatrix out) {
    for (int i = rowBegin; i < rowEnd; i++) {
      float scale = Scale.of(absMaxBits(x.data(), x.rowIndex(i), x.cols()));
      out.scales()[i] = scale;
      roundRows(x, i, i + 1, scale, out);
    }
  }

  /** Rounds some rows to the nearest with a given {@link Scale}. */
  default void roundRows(
      FloatMatrix x, int rowBegin, int rowEnd, float scale, QuantizedMatrix out) {
    float inverse = Scale.inverse(scale);
    for (int i = rowBegin; i < rowEnd; i++) {
      if (Scale.rounds(scale)) {
        int from = i * out.rowStride();
        out.rowSums()[i] =
            toNearest(x.data(), x.rowIndex(i), x.cols(), inverse, null, out.data(), from);
      } else {
        clearRow(out, i);
      }
    }
  }

  /** {@code out = scale * format.round(x * inverse)}, where the products are finite. */
  default void roundToFloat8(
      float[] x,
      int offset,
      int length,
      float inverse,
      float scale,
      Float8Format format,
      float[] out,
      int outOffset) {
    for (int j = 0; j < length; j++) {
      out[outOffset + j] = format.round(x[offset + j] * inverse) * scale;
    }
  }

  /** A row of zeros, padding included. */
  static void clearRow(QuantizedMatrix out, int row) {
    int from = row * out.rowStride();
    Arrays.fill(out.data(), from, from + out.rowStride(), (byte) 0);
    out.rowSums()[row] = 0;
  }

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
