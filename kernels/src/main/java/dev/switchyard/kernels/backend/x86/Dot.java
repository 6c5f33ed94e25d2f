package dev.switchyard.kernels.backend.x86;

import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VDPBF16PS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VFMADD231PS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPADDD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPDPBUSD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPMADDWD;

import dev.switchyard.kernels.backend.x86.asm.Assembler;
import dev.switchyard.kernels.backend.x86.asm.Vec;
import dev.switchyard.kernels.data.ElementType;

/**
 * A dot instruction: {@code sum += a . b} in each 32-bit lane, over as many values of k as fit 32
 * bits. Such a bundle is a group.
 */
enum Dot {
  /** {@code vpdpbusd}: four products of an unsigned and a signed byte, exact and wrapping. */
  INT8(ElementType.INT8, 4, "vpdpbusd", 0x0101_0101),
  /** {@code vpmaddwd} and an addition: two products of int8 values widened to 16 bits, exact. */
  INT16(ElementType.INT8, 2, "vpmaddwd + vpaddd", 0x0001_0001),
  /** {@code vdpbf16ps}: two products of bfloat16 values, summed in float. */
  BFLOAT16(ElementType.BFLOAT16, 2, "vdpbf16ps", 0x3f80_3f80),
  /** {@code vfmadd231ps}: one product of floats. */
  FLOAT32(ElementType.FLOAT32, 1, "vfmadd231ps", 0x3f80_0000);

  /** The type of the products that it computes. */
  final ElementType type;

  /** Values of k in 32 bits. */
  final int group;

  /** The names of the instructions. */
  final String mnemonic;

  /** A group of ones. */
  final int ones;

  Dot(ElementType type, int group, String mnemonic, int ones) {
    this.type = type;
    this.group = group;
    this.mnemonic = mnemonic;
    this.ones = ones;
  }

  /** Emits {@code sum += right . left}; in {@link #INT8} it is right that is unsigned. */
  void emit(Assembler asm, Vec sum, Vec right, Vec left, Vec temporary) {
    switch (this) {
      case INT8 -> asm.op(VPDPBUSD, sum, right, left);
      case BFLOAT16 -> asm.op(VDPBF16PS, sum, right, left);
      case FLOAT32 -> asm.op(VFMADD231PS, sum, right, left);
      case INT16 -> {
        asm.op(VPMADDWD, temporary, right, left);
        asm.op(VPADDD, sum, sum, temporary);
      }
    }
  }

  /** Groups that hold {@code inner} values of k, the last filled up with zeros. */
  int groups(int inner) {
    return Math.ceilDiv(inner, group);
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
