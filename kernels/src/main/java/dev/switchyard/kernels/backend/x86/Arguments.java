package dev.switchyard.kernels.backend.x86;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The parameters of a call, in native memory that emitted code reads: whole numbers of 8 bytes
 * first, then what each kind of call needs beside. One object a thread.
 */
class Arguments {
  /** Aligned, so that a vector of constants is one cache line. */
  private static final int ALIGNMENT = 64;

  final MemorySegment memory;

  Arguments(int bytes) {
    memory = Arena.ofAuto().allocate(bytes, ALIGNMENT);
  }

  final void set(int offset, long value) {
    memory.set(ValueLayout.JAVA_LONG, offset, value);
  }

  final void setInt(int offset, int index, int value) {
    memory.set(ValueLayout.JAVA_INT, offset + (long) index * Integer.BYTES, value);
  }

  final void setFloat(int offset, int index, float value) {
    memory.set(ValueLayout.JAVA_FLOAT, offset + (long) index * Float.BYTES, value);
  }
}
