package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A rectangle of an operand as packing can read it: where it lies in the operand's own array if
 * whole vectors may be read there, else in a copy with zeros around it. A quantized operand of a
 * float product is always copied, as floats. One object a workspace.
 */
final class Region {
  private float[] floats = {};
  private short[] shorts = {};
  private byte[] bytes = {};

  private final HeapSegment ofOperand = new HeapSegment();
  private final HeapSegment ofCopy = new HeapSegment();
  private Matrix operand;
  private ElementType type;
  private Dot dot;
  private final Operand place = new Operand();
  private Conversion conversion;

  /** Where it lies. */
  Operand place() {
    return place;
  }

  /** What packing has to do with the elements. */
  Conversion conversion() {
    return conversion;
  }

  /** Lets go of the operand. */
  void clear() {
    operand = null;
    place.clear();
  }

  /** Chooses the operand that rectangles are taken from, for a product of a type. */
  void of(Matrix newOperand, ElementType newType, Dot newDot) {
    operand = newOperand;
    if (type != newType || dot != newDot) { // as G1 takes a fence to store a reference: 10 ns
      type = newType;
      dot = newDot;
    }
  }

  /** The conversion from the operand's own array, or null where it has to be copied. */
  Conversion direct() {
    return switch (operand) {
      case QuantizedMatrix q when dot == Dot.INT8 -> Conversion.INT8;
      case QuantizedMatrix q when dot == Dot.INT16 -> Conversion.INT8_TO_INT16;
      case QuantizedMatrix q -> null;
      case Bfloat16Matrix h ->
          dot == Dot.BFLOAT16 ? Conversion.BFLOAT16 : Conversion.BFLOAT16_TO_FLOAT32;
      case FloatMatrix f -> ofFloats();
    };
  }

  private Conversion ofFloats() {
    if (dot == Dot.BFLOAT16) {
      return Conversion.FLOAT32_TO_BFLOAT16;
    }
    return type == ElementType.BFLOAT16 ? Conversion.FLOAT32_ROUNDED : Conversion.FLOAT32;
  }

  /**
   * Points at a rectangle of which {@code readRows} x {@code readCols} elements can be read.
   *
   * @param zeros whether what lies beyond the rectangle has to be zero
   */
  void set(int row, int rows, int col, int cols, int readRows, int readCols, boolean zeros) {
    Conversion newConversion = direct();
    if (conversion != newConversion) {
      conversion = newConversion;
    }
    boolean exact = rows == readRows && cols == readCols;
    if (conversion != null && (exact || !zeros)) {
      MemorySegment array = ofOperand.of(arrayOf(operand));
      long offset =
          ((long) operand.offset() + (long) row * operand.rowStride() + col)
              * conversion.sourceBytes;
      long stride = (long) operand.rowStride() * conversion.sourceBytes;
      long end = offset + (readRows - 1L) * stride + (long) readCols * conversion.sourceBytes;
      if (end <= array.byteSize()) {
        place.set(array, offset, stride);
        return;
      }
    }
    MemorySegment copy = reserveCopy(copySize(readRows, readCols));
    place.set(copy, 0, (long) readCols * conversion.sourceBytes);
    for (int i = 0; i < rows; i++) {
      copyRow(row + i, col, cols, i * readCols);
    }
  }

  /**
   * Packs it; see {@link Emitter#pack}.
   *
   * @param colsAStep columns from one panel or tile to the next
   */
  void pack(
      EmittedCode code,
      Layout layout,
      int outer,
      int inner,
      PackArguments arguments,
      int colsAStep,
      Operand destination) {
    long step = (long) colsAStep * conversion.sourceBytes;
    code.pack(conversion, layout, outer, inner, arguments, place, step, destination);
  }

  /** Of few rows of many columns, since whole groups of rows are read. */
  private static int copySize(int rows, int cols) {
    long size = (long) rows * cols;
    if (size > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "an operand that is copied as " + rows + "x" + cols + " does not fit an array");
    }
    return (int) size;
  }

  private static Object arrayOf(Matrix m) {
    return switch (m) {
      case FloatMatrix f -> f.data();
      case Bfloat16Matrix h -> h.data();
      case QuantizedMatrix q -> q.data();
    };
  }

  /** Room for a copy, all zeros. */
  private MemorySegment reserveCopy(int size) {
    if (conversion == null) {
      conversion = ofFloats();
    }
    return switch (conversion) {
      case INT8, INT8_TO_INT16 -> {
        bytes = bytes.length < size ? new byte[size] : bytes;
        Arrays.fill(bytes, 0, size, (byte) 0);
        yield ofCopy.of(bytes);
      }
      case BFLOAT16, BFLOAT16_TO_FLOAT32 -> {
        shorts = shorts.length < size ? new short[size] : shorts;
        Arrays.fill(shorts, 0, size, (short) 0);
        yield ofCopy.of(shorts);
      }
      case FLOAT32, FLOAT32_ROUNDED, FLOAT32_TO_BFLOAT16 -> {
        floats = floats.length < size ? new float[size] : floats;
        Arrays.fill(floats, 0, size, 0);
        yield ofCopy.of(floats);
      }
    };
  }

  private void copyRow(int row, int col, int cols, int to) {
    int from = operand.offset() + row * operand.rowStride() + col;
    switch (operand) {
      case QuantizedMatrix q when dot.isInteger() ->
          System.arraycopy(q.data(), from, bytes, to, cols);
      case Bfloat16Matrix h -> System.arraycopy(h.data(), from, shorts, to, cols);
      case FloatMatrix f -> System.arraycopy(f.data(), from, floats, to, cols);
      case QuantizedMatrix q -> {
        for (int j = 0; j < cols; j++) {
          floats[to + j] = q.data()[from + j] * q.scale(row, col + j);
        }
      }
    }
  }
}
