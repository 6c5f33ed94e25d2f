package dev.switchyard.kernels.backend.emitted;

import java.lang.foreign.MemorySegment;

/**
 * A place that emitted code reads or writes: an offset into memory and a stride from row to row,
 * both in bytes. One object is set anew for every call, as a call allocates nothing; its memory
 * once for many calls.
 */
final class Operand {
  private MemorySegment memory = MemorySegment.NULL;
  private long offset;
  private long stride;

  /** Returns itself. */
  Operand set(MemorySegment newMemory, long newOffset, long newStride) {
    memory = newMemory;
    return at(newOffset, newStride);
  }

  /** Another place in the same memory. */
  Operand at(long newOffset, long newStride) {
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
