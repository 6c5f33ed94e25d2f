package dev.switchyard.kernels.backend.vector;

import static dev.switchyard.kernels.backend.vector.Species.BYTE;
import static dev.switchyard.kernels.backend.vector.Species.BYTES;
import static dev.switchyard.kernels.backend.vector.Species.FLOAT;
import static dev.switchyard.kernels.backend.vector.Species.INT;
import static dev.switchyard.kernels.backend.vector.Species.LANES;
import static dev.switchyard.kernels.backend.vector.Species.ROUND;

import dev.switchyard.kernels.backend.QuantizeKernel;
import dev.switchyard.kernels.backend.Scale;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Quantization a vector at a time, tails one by one. |x| is at most the absmax behind {@code
 * inverse}, so |x * inverse| is at most 127 (1 + 2^-22). To the nearest that is 127, without
 * clamping; a stochastic step from there would reach 128, so it is clamped first.
 */
final class VectorQuantize implements QuantizeKernel {
  private static final int MAGNITUDE = 0x7fff_ffff;
  private static final float LARGEST = 127;
  private static final int ROUND_BITS = Float.floatToRawIntBits(ROUND);

  @Override
  public int absMaxBits(float[] x, int offset, int length) {
    // Four maxima: one alone would wait for itself.
    IntVector m0 = IntVector.zero(INT);
    IntVector m1 = m0;
    IntVector m2 = m0;
    IntVector m3 = m0;
    int j = 0;
    for (; j <= length - 4 * LANES; j += 4 * LANES) {
      int i = offset + j;
      m0 = m0.max(magnitudes(x, i));
      m1 = m1.max(magnitudes(x, i + LANES));
      m2 = m2.max(magnitudes(x, i + 2 * LANES));
      m3 = m3.max(magnitudes(x, i + 3 * LANES));
    }
    int max = m0.max(m1).max(m2.max(m3)).reduceLanes(VectorOperators.MAX);
    for (; j < length; j++) {
      max = Math.max(max, Float.floatToRawIntBits(x[offset + j]) & MAGNITUDE);
    }
    return max;
  }

  @Override
  public void raiseAbsMaxBits(float[] x, int offset, int length, int[] columnMax, int column) {
    int j = 0;
    for (; j <= length - LANES; j += LANES) {
      IntVector max = IntVector.fromArray(INT, columnMax, column + j);
      max.max(magnitudes(x, offset + j)).intoArray(columnMax, column + j);
    }
    for (; j < length; j++) {
      int bits = Float.floatToRawIntBits(x[offset + j]) & MAGNITUDE;
      columnMax[column + j] = Math.max(columnMax[column + j], bits);
    }
  }

  /**
   * Reads four rows at a time for their maxima: from four places memory brings more than from one,
   * and all of them are still in cache when they are rounded.
   */
  @Override
  public void quantizeRows(FloatMatrix x, int rowBegin, int rowEnd, QuantizedMatrix out) {
    int i = rowBegin;
    for (; i <= rowEnd - 4; i += 4) {
      scaleFourRows(x, i, out.scales());
      for (int k = i; k < i + 4; k++) {
        roundRows(x, k, k + 1, out.scales()[k], out);
      }
    }
    QuantizeKernel.super.quantizeRows(x, i, rowEnd, out);
  }

  private void scaleFourRows(FloatMatrix x, int row, float[] scales) {
    float[] data = x.data();
    int r0 = x.rowIndex(row);
    int r1 = x.rowIndex(row + 1);
    int r2 = x.rowIndex(row + 2);
    int r3 = x.rowIndex(row + 3);
    IntVector m0 = IntVector.zero(INT);
    IntVector m1 = m0;
    IntVector m2 = m0;
    IntVector m3 = m0;
    int j = 0;
    for (; j <= x.cols() - LANES; j += LANES) {
      m0 = m0.max(magnitudes(data, r0 + j));
      m1 = m1.max(magnitudes(data, r1 + j));
      m2 = m2.max(magnitudes(data, r2 + j));
      m3 = m3.max(magnitudes(data, r3 + j));
    }
    int tail = x.cols() - j;
    scales[row] = scale(m0, absMaxBits(data, r0 + j, tail));
    scales[row + 1] = scale(m1, absMaxBits(data, r1 + j, tail));
    scales[row + 2] = scale(m2, absMaxBits(data, r2 + j, tail));
    scales[row + 3] = scale(m3, absMaxBits(data, r3 + j, tail));
  }

  private static IntVector magnitudes(float[] x, int index) {
    return FloatVector.fromArray(FLOAT, x, index).reinterpretAsInts().and(MAGNITUDE);
  }

  private static float scale(IntVector maxima, int max) {
    return Scale.of(Math.max(maxima.reduceLanes(VectorOperators.MAX), max));
  }

  /**
   * The integers nearest to numbers below 2^22, as the bits of floats: {@link #ROUND_BITS} too
   * much, whose lowest byte is 0.
   */
  private static IntVector round(FloatVector scaled) {
    return scaled.add(ROUND).reinterpretAsInts();
  }

  private static ByteVector toBytes(IntVector integers) {
    return (ByteVector) integers.convertShape(VectorOperators.I2B, BYTE, 0);
  }

  @Override
  public int toNearest(
      float[] x, int offset, int length, float inverse, float[] inverses, byte[] q, int qOffset) {
    IntVector sums = IntVector.zero(INT);
    int j = 0;
    if (BYTES && inverses == null) {
      for (; j <= length - LANES; j += LANES) {
        IntVector rounded = round(FloatVector.fromArray(FLOAT, x, offset + j).mul(inverse));
        sums = sums.add(rounded);
        toBytes(rounded).intoArray(q, qOffset + j);
      }
    } else if (BYTES) {
      for (; j <= length - LANES; j += LANES) {
        FloatVector factor = FloatVector.fromArray(FLOAT, inverses, j);
        IntVector rounded = round(FloatVector.fromArray(FLOAT, x, offset + j).mul(factor));
        sums = sums.add(rounded);
        toBytes(rounded).intoArray(q, qOffset + j);
      }
    }
    int sum = sums.reduceLanes(VectorOperators.ADD) - j * ROUND_BITS;
    for (; j < length; j++) {
      float scaled = x[offset + j] * (inverses == null ? inverse : inverses[j]);
      byte integer = (byte) (Float.floatToRawIntBits(scaled + ROUND) - ROUND_BITS);
      q[qOffset + j] = integer;
      sum += integer;
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
    IntVector sums = IntVector.zero(INT);
    int j = 0;
    for (; BYTES && j <= length - LANES; j += LANES) {
      FloatVector factor =
          inverses == null
              ? FloatVector.broadcast(FLOAT, inverse)
              : FloatVector.fromArray(FLOAT, inverses, j);
      FloatVector scaled = FloatVector.fromArray(FLOAT, x, offset + j).mul(factor);
      scaled = scaled.min(LARGEST).max(-LARGEST);
      // Rounding to nearest and stepping back where that went up gives the floor.
      FloatVector nearest = scaled.add(ROUND).sub(ROUND);
      FloatVector floor = nearest.sub(1, nearest.compare(VectorOperators.GT, scaled));
      FloatVector fraction = scaled.sub(floor);
      FloatVector uniform = VectorRandom.uniform(key, j);
      IntVector rounded = round(floor.add(1, uniform.compare(VectorOperators.LT, fraction)));
      sums = sums.add(rounded);
      toBytes(rounded).intoArray(q, qOffset + j);
    }
    int sum = sums.reduceLanes(VectorOperators.ADD) - j * ROUND_BITS;
    for (; j < length; j++) {
      float factor = inverses == null ? inverse : inverses[j];
      float scaled = Math.clamp(x[offset + j] * factor, -LARGEST, LARGEST);
      float floor = (float) Math.floor(scaled);
      int integer = (int) floor + (CounterRandom.uniform(key, j) < scaled - floor ? 1 : 0);
      q[qOffset + j] = (byte) integer;
      sum += integer;
    }
    return sum;
  }

  @Override
  public void widen(byte[] q, int qOffset, int length, float scale, float[] x, int offset) {
    int j = 0;
    for (; BYTES && j <= length - LANES; j += LANES) {
      FloatVector values = Conversions.widen(ByteVector.fromArray(BYTE, q, qOffset + j));
      values.mul(scale).intoArray(x, offset + j);
    }
    for (; j < length; j++) {
      x[offset + j] = scale * q[qOffset + j];
    }
  }

  /** {@link Float8Format#round} in vector form. */
  @Override
  public void roundToFloat8(
      float[] x,
      int offset,
      int length,
      float inverse,
      float scale,
      Float8Format format,
      float[] out,
      int outOffset) {
    int dropped = Float.PRECISION - 1 - format.mantissaBits();
    int half = (1 << (dropped - 1)) - 1;
    float toQuantum = ROUND * format.quantum(); // adding it rounds to a multiple
    float normal = format.smallestNormal();
    float subnormal = format.largestSubnormal();
    float middle = (subnormal + normal) / 2;
    int j = 0;
    for (; j <= length - LANES; j += LANES) {
      FloatVector scaled = FloatVector.fromArray(FLOAT, x, offset + j).mul(inverse);
      IntVector all = scaled.reinterpretAsInts();
      IntVector bits = all.and(MAGNITUDE);
      FloatVector magnitude = bits.reinterpretAsFloats();
      FloatVector small = magnitude.add(toQuantum).sub(toQuantum);
      FloatVector gap =
          FloatVector.broadcast(FLOAT, subnormal)
              .blend(normal, magnitude.compare(VectorOperators.GE, middle));
      small = small.blend(gap, small.compare(VectorOperators.GT, subnormal));
      FloatVector large =
          bits.add(bits.lanewise(VectorOperators.LSHR, dropped).and(1))
              .add(half)
              .and(-1 << dropped)
              .reinterpretAsFloats();
      FloatVector rounded =
          large.blend(small, magnitude.compare(VectorOperators.LT, normal)).min(format.largest());
      rounded
          .reinterpretAsInts()
          .or(all.and(~MAGNITUDE))
          .reinterpretAsFloats()
          .mul(scale)
          .intoArray(out, outOffset + j);
    }
    QuantizeKernel.super.roundToFloat8(
        x, offset + j, length - j, inverse, scale, format, out, outOffset + j);
  }
}
