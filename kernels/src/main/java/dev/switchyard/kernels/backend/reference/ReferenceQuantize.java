package dev.switchyard.kernels.backend.reference;

import dev.switchyard.kernels.backend.QuantizeKernel;
import dev.switchyard.kernels.data.CounterRandom;

/** Quantization, one element at a time. */
final class ReferenceQuantize implements QuantizeKernel {
  @Override
  public int absMaxBits(float[] x, int offset, int length) {
    int max = 0;
    for (int j = 0; j < length; j++) {
      max = Math.max(max, magnitudeBits(x[offset + j]));
    }
    return max;
  }

  @Override
  public void raiseAbsMaxBits(float[] x, int offset, int length, int[] columnMax, int column) {
    for (int j = 0; j < length; j++) {
      columnMax[column + j] = Math.max(columnMax[column + j], magnitudeBits(x[offset + j]));
    }
  }

  private static int magnitudeBits(float value) {
    return Float.floatToRawIntBits(value) & 0x7fff_ffff;
  }

  @Override
  public int toNearest(
      float[] x, int offset, int length, float inverse, float[] inverses, byte[] q, int qOffset) {
    int sum = 0;
    for (int j = 0; j < length; j++) {
      float scaled = x[offset + j] * (inverses == null ? inverse : inverses[j]);
      sum += store(q, qOffset + j, (int) Math.rint(scaled));
    }
    return sum;
  }

  @Override
  public int stochastic(
      float[] x,
      int offset,
      int length,
      float inverse,
      float[] inverses,
      long key,
      byte[] q,
      int qOffset) {
    int sum = 0;
    for (int j = 0; j < length; j++) {
      float scaled = x[offset + j] * (inverses == null ? inverse : inverses[j]);
      float floor = (float) Math.floor(scaled);
      int up = CounterRandom.uniform(key, j) < scaled - floor ? 1 : 0;
      sum += store(q, qOffset + j, (int) floor + up);
    }
    return sum;
  }

  private static int store(byte[] q, int index, int value) {
    int clamped = Math.clamp(value, -127, 127);
    q[index] = (byte) clamped;
    return clamped;
  }

  @Override
  public void widen(byte[] q, int qOffset, int length, float scale, float[] x, int offset) {
    for (int j = 0; j < length; j++) {
      x[offset + j] = scale * q[qOffset + j];
    }
  }
}
