package dev.switchyard.kernels.backend.vector;

import static dev.switchyard.kernels.backend.vector.Species.BYTE;
import static dev.switchyard.kernels.backend.vector.Species.FLOAT;
import static dev.switchyard.kernels.backend.vector.Species.LANES;

import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Transposes blocks of LANES by LANES floats. Stage s swaps, in every pair of rows i and i + s, the
 * upper half of each group of 2 s columns of the first with the lower half of the second; after the
 * stages ..., 4, 2, 1 the block is transposed. The block stays in L1 between the stages: measured
 * 0.2 ns an element there, and 0.7 to 0.8 ns while packing a weight from memory, against 1.2 ns for
 * copies element by element, whose stores are a row apart.
 */
final class Transpose {
  private static final VectorMask<Float> LOW1 = low(1);
  private static final VectorMask<Float> LOW2 = low(2);
  private static final VectorMask<Float> LOW4 = low(4);
  private static final VectorMask<Float> LOW8 = low(8);
  private static final VectorShuffle<Float> SWAP1 = swap(1);
  private static final VectorShuffle<Float> SWAP2 = swap(2);
  private static final VectorShuffle<Float> SWAP4 = swap(4);
  private static final VectorShuffle<Float> SWAP8 = swap(8);

  private final float[] block = new float[LANES * LANES];

  private static VectorMask<Float> low(int s) {
    boolean[] lanes = new boolean[LANES];
    for (int i = 0; i < LANES; i++) {
      lanes[i] = (i & s) == 0;
    }
    return VectorMask.fromArray(FLOAT, lanes, 0);
  }

  private static VectorShuffle<Float> swap(int s) {
    return VectorShuffle.fromOp(FLOAT, i -> (i ^ s) % LANES);
  }

  /**
   * {@code to[toIndex + k * toStride + r] = from[index + r * stride + k]} for LANES values of r and
   * k, zero for r from {@code rows} on. Where {@code toStride} is less than LANES, each k
   * overwrites what its predecessor wrote past the stride, and the last writes past the end.
   */
  void block(float[] from, int index, int stride, int rows, float[] to, int toIndex, int toStride) {
    for (int i = 0; i < rows; i++) {
      FloatVector.fromArray(FLOAT, from, index + i * stride).intoArray(block, i * LANES);
    }
    transpose(rows, to, toIndex, toStride);
  }

  /** The same of bytes. */
  void block(byte[] from, int index, int stride, int rows, float[] to, int toIndex, int toStride) {
    for (int i = 0; i < rows; i++) {
      Conversions.widen(ByteVector.fromArray(BYTE, from, index + i * stride))
          .intoArray(block, i * LANES);
    }
    transpose(rows, to, toIndex, toStride);
  }

  private void transpose(int rows, float[] to, int toIndex, int toStride) {
    if (rows < LANES) {
      Arrays.fill(block, rows * LANES, block.length, 0);
    }
    if (LANES >= 16) {
      stage(8, LOW8, SWAP8, block, 0, LANES);
    }
    if (LANES >= 8) {
      stage(4, LOW4, SWAP4, block, 0, LANES);
    }
    stage(2, LOW2, SWAP2, block, 0, LANES);
    // Its pairs are neighbours, so that rows are written in ascending order, as the spill demands.
    stage(1, LOW1, SWAP1, to, toIndex, toStride);
  }

  private void stage(
      int s,
      VectorMask<Float> low,
      VectorShuffle<Float> swap,
      float[] to,
      int toIndex,
      int toStride) {
    for (int pair = 0; pair < LANES / 2; pair++) {
      int i = (pair / s) * 2 * s + pair % s;
      FloatVector a = FloatVector.fromArray(FLOAT, block, i * LANES);
      FloatVector b = FloatVector.fromArray(FLOAT, block, (i + s) * LANES);
      b.rearrange(swap).blend(a, low).intoArray(to, toIndex + i * toStride);
      a.rearrange(swap).blend(b, low.not()).intoArray(to, toIndex + (i + s) * toStride);
    }
  }
}
