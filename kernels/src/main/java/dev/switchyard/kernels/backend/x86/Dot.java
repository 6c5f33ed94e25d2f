package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.data.ElementType;

/**
 * A dot instruction: {@code sum += a . b} in each 32-bit lane, over as many values of k as fit 32
 * bits. Such a bundle is a group.
 */
enum Dot {
  /** {@code vpdpbusd}: four products of an unsigned and a signed byte, exact and wrapping. */
  INT8(ElementType.INT8, 4),
  /** {@code vpmaddwd} and an addition: two products of int8 values widened to 16 bits, exact. */
  INT16(ElementType.INT8, 2),
  /** {@code vdpbf16ps}: two products of bfloat16 values, summed in float. */
  BFLOAT16(ElementType.BFLOAT16, 2),
  /** {@code vfmadd231ps}: one product of floats. */
  FLOAT32(ElementType.FLOAT32, 1);

  /** The type of the products that it computes. */
  final ElementType type;

  /** Values of k in 32 bits. */
  final int group;

  Dot(ElementType type, int group) {
    this.type = type;
    this.group = group;
  }

  /** Groups that hold {@code inner} values of k, the last filled up with zeros. */
  int groups(int inner) {
    return (inner + group - 1) / group;
  }

  /** Whether sums are int32. */
  boolean isInteger() {
    return type == ElementType.INT8;
  }

  /** Whether B is stored as unsigned bytes, 128 more than they are. */
  boolean isBiased() {
    return this == INT8;
  }
}
