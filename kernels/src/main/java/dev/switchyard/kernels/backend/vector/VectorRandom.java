package dev.switchyard.kernels.backend.vector;

import static dev.switchyard.kernels.backend.vector.Species.INT;

import dev.switchyard.kernels.data.CounterRandom;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** {@link CounterRandom} a vector at a time. */
final class VectorRandom {
  private static final IntVector LANE = IntVector.zero(INT).addIndex(1);

  private VectorRandom() {}

  /** {@link CounterRandom#uniform(long, int)} of {@code index} and the numbers that follow. */
  static FloatVector uniform(long key, int index) {
    IntVector h = LANE.add(index).mul(0x9E3779B1).add((int) key);
    h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 16)).mul(0x85EBCA6B);
    h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 13)).mul(0xC2B2AE35);
    h =
        h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 16))
            .lanewise(VectorOperators.XOR, (int) (key >>> 32));
    h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 16)).mul(0x7FEB352D);
    h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 15)).mul(0x846CA68B);
    h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 16));
    return ((FloatVector) h.lanewise(VectorOperators.LSHR, 8).convert(VectorOperators.I2F, 0))
        .mul(0x1p-24f);
  }
}
