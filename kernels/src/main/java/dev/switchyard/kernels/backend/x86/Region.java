package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.x86.PackGenerator.Conversion;
import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A rectangle of an operand as packing can read it: where it lies in the operand's own array if
 * whole vectors may be read there, else in a copy with zeros around it. An operand of a type that
 * the dot instruction does not take is always copied, as floats. One object a thread.
 */
final class Region {
  private float[] floats = {};
  private short[] shorts = {};
  private byte[] bytes = {};

  private final HeapSegment heapSegment = new HeapSegment();
  private MemorySegment segment;
  private long offset;
  private long stride;
  private Conversion conversion;

  /** The array that holds it. */
  MemorySegment segment() {
    return segment;
  }

  /** Its first element, in bytes from the start of the array. */
  long offset() {
    return offset;
  }

  /** Bytes from row to row. */
  long stride() {
    return stride;
  }

  /** What packing has to do with the elements. */
  Conversion conversion() {
    return conversion;
  }

  /** Lets go of the operand. */
  void clear() {
    segment = null;
  }

  /** The conversion from an operand's own array, or null where it has to be copied. */
  static Conversion direct(Matrix m, ElementType type, Dot dot) {
    return switch (m) {
      case QuantizedMatrix q when dot == Dot.INT8 -> Conversion.INT8;
      case QuantizedMatrix q when dot == Dot.INT16 -> Conversion.INT8_TO_INT16;
      case Bfloat16Matrix h when dot == Dot.BFLOAT16 -> Conversion.BFLOAT16;
      case FloatMatrix f when dot == Dot.BFLOAT16 -> Conversion.FLOAT32_TO_BFLOAT16;
      case FloatMatrix f when type == ElementType.FLOAT32 -> Conversion.FLOAT32;
      default -> null;
    };
  }

  /**
   * Points at a rectangle of which {@code readRows} x {@code readCols} elements can be read.
   *
   * @param zeros whether what lies beyond the rectangle has to be zero
   */
  void set(
      Matrix m,
      ElementType type,
      Dot dot,
      int row,
      int rows,
      int col,
      int cols,
      int readRows,
      int readCols,
      boolean zeros) {
    conversion = direct(m, type, dot);
    boolean exact = rows == readRows && cols == readCols;
    if (conversion != null && (exact || !zeros)) {
      segment = heapSegment.of(arrayOf(m));
      offset = ((long) m.offset() + (long) row * m.rowStride() + col) * conversion.sourceBytes;
      stride = (long) m.rowStride() * conversion.sourceBytes;
      long end = offset + (readRows - 1) * stride + (long) readCols * conversion.sourceBytes;
      if (end <= segment.byteSize()) {
        return;
      }
    }
    copy(m, type, dot, row, rows, col, cols, readRows, readCols);
  }

  private static Object arrayOf(Matrix m) {
    return switch (m) {
      case FloatMatrix f -> f.data();
      case Bfloat16Matrix h -> h.data();
      case QuantizedMatrix q -> q.data();
    };
  }

  private void copy(
      Matrix m,
      ElementType type,
      Dot dot,
      int row,
      int rows,
      int col,
      int cols,
      int readRows,
      int readCols) {
    int size = readRows * readCols;
    offset = 0;
    if (conversion == null) {
      conversion = dot == Dot.BFLOAT16 ? Conversion.FLOAT32_TO_BFLOAT16 : Conversion.FLOAT32;
    }
    stride = (long) readCols * conversion.sourceBytes;
    switch (conversion) {
      case INT8, INT8_TO_INT16 -> {
        bytes = bytes.length < size ? new byte[size] : bytes;
        Arrays.fill(bytes, 0, size, (byte) 0);
        segment = heapSegment.of(bytes);
      }
      case BFLOAT16 -> {
        shorts = shorts.length < size ? new short[size] : shorts;
        Arrays.fill(shorts, 0, size, (short) 0);
        segment = heapSegment.of(shorts);
      }
      default -> {
        floats = floats.length < size ? new float[size] : floats;
        Arrays.fill(floats, 0, size, 0);
        segment = heapSegment.of(floats);
      }
    }
    for (int i = 0; i < rows; i++) {
      int from = m.offset() + (row + i) * m.rowStride() + col;
      int to = i * readCols;
      switch (m) {
        case FloatMatrix f -> {
          System.arraycopy(f.data(), from, floats, to, cols);
          if (type == ElementType.BFLOAT16) {
            round(to, cols);
          }
        }
        case Bfloat16Matrix h when conversion == Conversion.BFLOAT16 ->
            System.arraycopy(h.data(), from, shorts, to, cols);
        case Bfloat16Matrix h -> {
          for (int j = 0; j < cols; j++) {
            floats[to + j] = Bfloat16.toFloat(h.data()[from + j]);
          }
        }
        case QuantizedMatrix q when dot.isInteger() ->
            System.arraycopy(q.data(), from, bytes, to, cols);
        case QuantizedMatrix q -> {
          for (int j = 0; j < cols; j++) {
            floats[to + j] = q.data()[from + j] * q.scale(row + i, col + j);
          }
          if (type == ElementType.BFLOAT16) {
            round(to, cols);
          }
        }
      }
    }
  }

  private void round(int from, int n) {
    for (int j = from; j < from + n; j++) {
      floats[j] = Bfloat16.round(floats[j]);
    }
  }
}
