package dev.switchyard.kernels.backend.emitted;

/** What becomes of the elements that are packed. */
public enum Conversion {
  /** int8 values; the bits that {@link PackArguments#FLIP} names may make them unsigned. */
  INT8(Byte.BYTES, Dot.INT8),
  /** int8 values widened to 16 bits. */
  INT8_TO_INT16(Byte.BYTES, Dot.INT16),
  BFLOAT16(Short.BYTES, Dot.BFLOAT16),
  FLOAT32_TO_BFLOAT16(Float.BYTES, Dot.BFLOAT16),
  /** Widened. */
  BFLOAT16_TO_FLOAT32(Short.BYTES, Dot.FLOAT32),
  /** Rounded as to bfloat16, for its products where no instruction computes them. */
  FLOAT32_ROUNDED(Float.BYTES, Dot.FLOAT32),
  FLOAT32(Float.BYTES, Dot.FLOAT32);

  public final int sourceBytes;
  public final Dot dot;

  Conversion(int sourceBytes, Dot dot) {
    this.sourceBytes = sourceBytes;
    this.dot = dot;
  }

  /** Bytes of the source behind the 32 bits of a group in a row. */
  public int groupBytes() {
    return sourceBytes * dot.group;
  }

  /** Whether a row is groups as it is, but for the bits to flip. */
  boolean keepsRows() {
    return groupBytes() == Integer.BYTES && this != FLOAT32_ROUNDED;
  }
}
