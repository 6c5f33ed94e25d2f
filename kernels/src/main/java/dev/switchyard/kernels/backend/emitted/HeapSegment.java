package dev.switchyard.kernels.backend.emitted;

import java.lang.foreign.MemorySegment;
import java.lang.ref.SoftReference;

/**
 * The segment around an array, kept for the next call on the same array: C2 does not always see
 * that a segment need not exist, and to make one for each call cost 144 bytes and up to 0.4 us. The
 * array stays reachable only as long as memory allows.
 */
final class HeapSegment {
  private SoftReference<Entry> last = new SoftReference<>(null);

  private record Entry(Object array, MemorySegment segment) {
    @SuppressWarnings("ReferenceEquality") // arrays are equal when they are the same
    boolean isOf(Object other) {
      return array == other;
    }
  }

  /** A segment of all of a primitive array. */
  MemorySegment of(Object array) {
    Entry entry = last.get();
    if (entry == null || !entry.isOf(array)) {
      entry = new Entry(array, make(array));
      last = new SoftReference<>(entry);
    }
    return entry.segment;
  }

  private static MemorySegment make(Object array) {
    return switch (array) {
      case float[] x -> MemorySegment.ofArray(x);
      case int[] x -> MemorySegment.ofArray(x);
      case short[] x -> MemorySegment.ofArray(x);
      default -> MemorySegment.ofArray((byte[]) array);
    };
  }
}
