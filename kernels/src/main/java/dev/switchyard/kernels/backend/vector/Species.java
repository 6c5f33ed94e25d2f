package dev.switchyard.kernels.backend.vector;

import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The vector shapes in use: as many lanes for each type as floats in a preferred vector. */
final class Species {
  /** The preferred width, at most 512 bits: {@link Transpose} has no stages for more. */
  private static final VectorShape SHAPE =
      VectorShape.preferredShape().vectorBitSize() > 512
          ? VectorShape.S_512_BIT
          : VectorShape.preferredShape();

  static final VectorSpecies<Float> FLOAT = VectorSpecies.of(float.class, SHAPE);
  static final int LANES = FLOAT.length();
  static final VectorSpecies<Integer> INT = VectorSpecies.of(int.class, SHAPE);

  /** A quarter of the width; on 128-bit machines its upper part is unused. */
  static final VectorSpecies<Byte> BYTE =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, LANES * Byte.SIZE)));

  /** Whether bytes come in vectors of as many lanes as floats; on 128-bit machines they do not. */
  static final boolean BYTES = BYTE.length() == LANES;

  /** Adding it rounds a float of magnitude below 2^22 to the nearest integer, ties to even. */
  static final float ROUND = 0x1.8p23f;

  private Species() {}
}
