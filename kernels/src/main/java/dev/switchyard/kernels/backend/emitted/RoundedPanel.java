package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import java.lang.foreign.MemorySegment;

/**
 * A panel of a bfloat16 result, which is summed as floats and rounded when all of its sum is known.
 * One object a workspace.
 */
final class RoundedPanel {
  private final EmittedCode code;
  private final PackArguments arguments;
  private final int panelCols;
  private final boolean emitted; // else rounded here, one by one
  private final HeapSegment ofFloats = new HeapSegment();
  private final HeapSegment ofRounded = new HeapSegment();
  private final HeapSegment ofResult = new HeapSegment();
  private final Operand source = new Operand();
  private final Operand target = new Operand();
  private float[] floats = {};
  private short[] rounded = {};

  RoundedPanel(EmittedCode code, PackArguments arguments) {
    this.code = code;
    this.arguments = arguments;
    this.panelCols = code.target().panelCols();
    this.emitted = code.target().hasBfloat16();
  }

  /** Lets go of the result. */
  void clear() {
    target.clear();
  }

  /** Memory for the floats of some rows, one after the other. */
  MemorySegment reserve(int rows) {
    int size = rows * panelCols;
    if (floats.length < size) {
      float[] newFloats = new float[size];
      rounded = new short[size];
      floats = newFloats; // last: its length stands for both
    }
    return ofFloats.of(floats);
  }

  /** Starts with what the result holds. */
  void widen(Bfloat16Matrix c, int row, int rows, int col, int cols) {
    for (int i = 0; i < rows; i++) {
      int from = c.rowIndex(row + i) + col;
      int to = i * panelCols;
      for (int j = 0; j < cols; j++) {
        floats[to + j] = Bfloat16.toFloat(c.data()[from + j]);
      }
    }
  }

  /**
   * Rounds the panel, which is still in L1, to the result. The instruction flushes subnormal
   * numbers to zero.
   */
  void round(Bfloat16Matrix c, int row, int rows, int col, int cols) {
    boolean whole = cols == panelCols;
    if (emitted) {
      source.set(reserve(rows), 0, (long) Float.BYTES * panelCols);
      if (whole) {
        long offset = (long) Short.BYTES * (c.rowIndex(row) + col);
        target.set(ofResult.of(c.data()), offset, (long) Short.BYTES * c.rowStride());
      } else {
        target.set(ofRounded.of(rounded), 0, (long) Short.BYTES * panelCols);
      }
      Conversion conversion = Conversion.FLOAT32_TO_BFLOAT16;
      code.pack(conversion, Layout.ROWS, rows, 1, arguments, source, 0, target);
      if (whole) {
        return;
      }
    }
    for (int i = 0; i < rows; i++) {
      int from = i * panelCols;
      int to = c.rowIndex(row + i) + col;
      for (int j = 0; j < cols; j++) {
        c.data()[to + j] = emitted ? rounded[from + j] : Bfloat16.fromFloat(floats[from + j]);
      }
    }
  }
}
