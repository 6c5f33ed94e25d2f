package dev.switchyard.kernels.backend.x86;

import java.lang.foreign.MemorySegment;

/**
 * A place that emitted code reads or writes: an offset into memory and a stride from row to row,
 * both in bytes. One object is set anew for every call, as a call allocates nothing.
 */
final class Operand {
  private MemorySegment memory = MemorySegment.NULL;
  private long offset;
  private long stride;

  /** Returns itself. */
  Operand set(MemorySegment newMemory, long newOffset, long newStride) {
    memory = newMemory;
    offset = newOffset;
    stride = newStride;
    return this;
  }

  /** Lets go of the memory. */
  void clear() {
    set(MemorySegment.NULL, 0, 0);
  }

  MemorySegment memory() {
    return memory;
  }

  long offset() {
    return offset;
  }

  long stride() {
    return stride;
  }
}
