package dev.switchyard.kernels.data;

/**
 * The type in which a product takes its operands; every product accumulates exactly or in float32.
 */
public enum ElementType {
  /** 32-bit floats. */
  FLOAT32,
  /** Operands rounded to bfloat16 (nearest, ties to even), float32 accumulation. */
  BFLOAT16,
  /** Quantized operands, exact int32 accumulation. */
  INT8
}
