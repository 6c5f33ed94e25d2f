package dev.switchyard.kernels.backend.vector;

import static dev.switchyard.kernels.backend.vector.Species.BYTE;
import static dev.switchyard.kernels.backend.vector.Species.BYTES;
import static dev.switchyard.kernels.backend.vector.Species.FLOAT;
import static dev.switchyard.kernels.backend.vector.Species.LANES;

import dev.switchyard.kernels.data.Bfloat16;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Runs of elements from one type to float. */
final class Conversions {
  private Conversions() {}

  /** Bytes in as many lanes; see {@link Species#BYTES}. */
  static FloatVector widen(ByteVector bytes) {
    return (FloatVector) bytes.convertShape(VectorOperators.B2F, FLOAT, 0);
  }

  /** {@code out[to + j] = q[index + j]}. */
  static void widen(byte[] q, int index, float[] out, int to, int n) {
    int j = 0;
    for (; BYTES && j <= n - LANES; j += LANES) {
      widen(ByteVector.fromArray(BYTE, q, index + j)).intoArray(out, to + j);
    }
    for (; j < n; j++) {
      out[to + j] = q[index + j];
    }
  }

  /** {@code out[to + j] = x[index + j]} as a float. */
  static void widen(short[] x, int index, float[] out, int to, int n) {
    for (int j = 0; j < n; j++) {
      out[to + j] = Bfloat16.toFloat(x[index + j]);
    }
  }

  /**
   * {@code out[to + j]} = the bfloat16 nearest to {@code x[index + j]}, as {@link Bfloat16#round}
   * does it.
   */
  static void roundToBfloat16(float[] x, int index, float[] out, int to, int n) {
    int j = 0;
    for (; j <= n - LANES; j += LANES) {
      FloatVector v = FloatVector.fromArray(FLOAT, x, index + j);
      IntVector bits = v.reinterpretAsInts();
      IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector rounded =
          bits.add(0x7fff)
              .add(odd)
              .blend(bits.or(0x0040_0000), v.test(VectorOperators.IS_NAN).cast(Species.INT))
              .and(0xffff_0000);
      rounded.reinterpretAsFloats().intoArray(out, to + j);
    }
    for (; j < n; j++) {
      out[to + j] = Bfloat16.round(x[index + j]);
    }
  }
}
