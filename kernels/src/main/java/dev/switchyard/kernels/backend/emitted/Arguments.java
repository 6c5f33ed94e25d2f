package dev.switchyard.kernels.backend.emitted;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The parameters of a call, in native memory that emitted code reads: whole numbers of 8 bytes
 * first, then what each kind of call needs beside. One object a workspace.
 *
 * <p>Whatever bounds what the code writes is written anew for each call, by {@link EmittedCode} and
 * from the numbers that it has checked. Nothing is remembered from the call before: a key kept
 * beside what was made for it is wrong for good if the stack ends between the two. What never
 * changes is written when the object is made.
 */
abstract class Arguments {
  /** Aligned, so that a vector of constants is one cache line. */
  private static final int ALIGNMENT = 64;

  final MemorySegment memory;

  Arguments(int bytes) {
    memory = Arena.ofAuto().allocate(bytes, ALIGNMENT);
  }

  final void set(int offset, long value) {
    memory.set(ValueLayout.JAVA_LONG, offset, value);
  }

  final long get(int offset) {
    return memory.get(ValueLayout.JAVA_LONG, offset);
  }

  final void setInt(int offset, int index, int value) {
    memory.set(ValueLayout.JAVA_INT, offset + (long) index * Integer.BYTES, value);
  }

  /** A table for {@link #firstLanes}: so many lanes that are on, and as many that are off. */
  final void setLaneTable(int table, int lanes) {
    for (int i = 0; i < lanes; i++) {
      setInt(table, i, -1);
    }
  }

  /**
   * What selects the first of some lanes, as one number: for mask registers bits, 16 a vector; for
   * masks that are vectors where they begin in the table, that many lanes before its middle.
   */
  static long firstLanes(Target target, int table, int lanes, int count) {
    return target.hasMasks() ? (1L << count) - 1 : table + (long) Integer.BYTES * (lanes - count);
  }

  final void setBytes(int offset, byte[] bytes) {
    MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, offset, bytes.length);
  }

  final void setFloat(int offset, int index, float value) {
    memory.set(ValueLayout.JAVA_FLOAT, offset + (long) index * Float.BYTES, value);
  }
}
