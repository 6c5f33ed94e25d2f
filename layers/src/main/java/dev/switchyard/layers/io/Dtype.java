package dev.switchyard.layers.io;

/** The element types of the safetensors format whose elements take whole bytes, little-endian. */
public enum Dtype {
  /** 64-bit float. */
  F64(8),
  /** 64-bit signed integer. */
  I64(8),
  /** 64-bit unsigned integer. */
  U64(8),
  /** 32-bit float. */
  F32(4),
  /** 32-bit signed integer. */
  I32(4),
  /** 32-bit unsigned integer. */
  U32(4),
  /** IEEE 754 16-bit float. */
  F16(2),
  /** bfloat16, the upper half of a 32-bit float. */
  BF16(2),
  /** 16-bit signed integer. */
  I16(2),
  /** 16-bit unsigned integer. */
  U16(2),
  /** 8-bit signed integer. */
  I8(1),
  /** 8-bit unsigned integer. */
  U8(1),
  /** Truth value, 0 or 1. */
  BOOL(1),
  /** 8-bit float with 4 bits of exponent. */
  F8_E4M3(1),
  /** 8-bit float with 5 bits of exponent. */
  F8_E5M2(1);

  private final int bytes;

  Dtype(int bytes) {
    this.bytes = bytes;
  }

  /**
   * The size of an element.
   *
   * @return its bytes, 1 to 8
   */
  public int bytes() {
    return bytes;
  }
}
