package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.data.ElementType;

/**
 * A dot instruction: {@code sum += a . b} in each 32-bit lane, over as many values of k as fit 32
 * bits. Such a bundle is a group.
 */
public enum Dot {
  /** Four products of an unsigned byte of B and a signed one of A, exact and wrapping. */
  INT8(ElementType.INT8, 4, 0x0101_0101),
  /** Two products of int8 values widened to 16 bits, exact. */
  INT16(ElementType.INT8, 2, 0x0001_0001),
  /** Two products of bfloat16 values, summed in float. */
  BFLOAT16(ElementType.BFLOAT16, 2, 0x3f80_3f80),
  /** One product of floats. */
  FLOAT32(ElementType.FLOAT32, 1, 0x3f80_0000);

  /** The type of the products that it computes. */
  final ElementType type;

  /** Values of k in 32 bits. */
  public final int group;

  /** A group of ones. */
  final int ones;

  Dot(ElementType type, int group, int ones) {
    this.type = type;
    this.group = group;
    this.ones = ones;
  }

  /** Groups that hold {@code inner} values of k, the last filled up with zeros. */
  int groups(int inner) {
    return Math.ceilDiv(inner, group);
  }

  /** Whether sums are int32. */
  public boolean isInteger() {
    return type == ElementType.INT8;
  }

  /** Whether B is stored as unsigned bytes, 128 more than they are. */
  public boolean isBiased() {
    return this == INT8;
  }
}
