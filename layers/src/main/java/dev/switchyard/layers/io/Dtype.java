package dev.switchyard.layers.io;

/**
 * The element types of the safetensors format, little-endian. {@link Safetensors} reads some of
 * them and lists all, so that a tensor of another type is in nobody's way.
 */
public enum Dtype {
  /** 64-bit float. */
  F64(64),
  /** 64-bit signed integer. */
  I64(64),
  /** 64-bit unsigned integer. */
  U64(64),
  /** Complex number of two 32-bit floats. */
  C64(64),
  /** 32-bit float. */
  F32(32),
  /** 32-bit signed integer. */
  I32(32),
  /** 32-bit unsigned integer. */
  U32(32),
  /** IEEE 754 16-bit float. */
  F16(16),
  /** bfloat16, the upper half of a 32-bit float. */
  BF16(16),
  /** 16-bit signed integer. */
  I16(16),
  /** 16-bit unsigned integer. */
  U16(16),
  /** 8-bit signed integer. */
  I8(8),
  /** 8-bit unsigned integer. */
  U8(8),
  /** Truth value, 0 or 1. */
  BOOL(8),
  /** 8-bit float with 4 bits of exponent. */
  F8_E4M3(8),
  /** 8-bit float with 5 bits of exponent. */
  F8_E5M2(8),
  /** 8-bit float with 4 bits of exponent, a single NaN and no negative zero. */
  F8_E4M3FNUZ(8),
  /** 8-bit float with 5 bits of exponent, a single NaN and no negative zero. */
  F8_E5M2FNUZ(8),
  /** A power of two, as scales of blocks have it. */
  F8_E8M0(8),
  /** 6-bit float with 2 bits of exponent; elements follow each other bit by bit. */
  F6_E2M3(6),
  /** 6-bit float with 3 bits of exponent; elements follow each other bit by bit. */
  F6_E3M2(6),
  /** 4-bit float; two elements a byte. */
  F4(4);

  private final int bits;

  Dtype(int bits) {
    this.bits = bits;
  }

  /**
   * The size of an element.
   *
   * @return its bits, 4 to 64
   */
  public int bits() {
    return bits;
  }

  /** The bytes of an element that takes whole ones. */
  int bytes() {
    return bits / Byte.SIZE;
  }
}
