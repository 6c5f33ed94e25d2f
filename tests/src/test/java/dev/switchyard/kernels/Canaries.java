package dev.switchyard.kernels;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Result;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The arrays that a call can reach, as they were before it. Everything outside of the views that it
 * may write is a canary: it has to stay, bit for bit.
 */
final class Canaries {
  private final List<Object> arrays = new ArrayList<>();
  private final List<Object> before = new ArrayList<>();
  private final List<Writable> writables = new ArrayList<>();

  private record Writable(Object array, int offset, int rows, int cols, int rowStride) {
    @SuppressWarnings("ReferenceEquality") // arrays are equal when they are the same
    boolean isIn(Object other) {
      return array == other;
    }

    void copy(Object from, Object to) {
      for (int i = 0; cols > 0 && i < rows; i++) {
        int row = offset + i * rowStride;
        System.arraycopy(from, row, to, row, cols);
      }
    }
  }

  /** Watches a primitive array. */
  <T> T guard(T array) {
    arrays.add(array);
    return array;
  }

  /** Lets a call write all of a guarded array, unless it is refused. */
  void release(Object array) {
    writables.add(new Writable(array, 0, 1, Array.getLength(array), 0));
  }

  /** Lets a call write the elements of a view of a guarded array. */
  void allow(Result view) {
    Object array =
        switch (view) {
          case FloatMatrix m -> m.data();
          case Bfloat16Matrix m -> m.data();
          case IntMatrix m -> m.data();
        };
    writables.add(
        new Writable(array, view.rowIndex(0), view.rows(), view.cols(), view.rowStride()));
  }

  /** Remembers what the arrays hold. */
  void snapshot() {
    arrays.forEach(array -> before.add(copy(array)));
  }

  /**
   * The first array element that was written and should not have been.
   *
   * @param refused whether the call threw: then no view may have been written either
   * @return a sentence, or null if there is none
   */
  String disturbed(boolean refused) {
    for (int i = 0; i < arrays.size(); i++) {
      Object array = arrays.get(i);
      Object expected = before.get(i);
      for (Writable writable : writables) {
        if (!refused && writable.isIn(array)) {
          writable.copy(array, expected);
        }
      }
      MemorySegment segment = segment(array);
      long at = segment.mismatch(segment(expected));
      if (at >= 0) {
        return String.format(
            Locale.ROOT,
            "%s %d: byte %d of %d was written",
            array.getClass().getSimpleName(),
            i,
            at,
            segment.byteSize());
      }
    }
    return null;
  }

  private static Object copy(Object array) {
    return switch (array) {
      case float[] x -> x.clone();
      case int[] x -> x.clone();
      case short[] x -> x.clone();
      default -> ((byte[]) array).clone();
    };
  }

  private static MemorySegment segment(Object array) {
    return switch (array) {
      case float[] x -> MemorySegment.ofArray(x);
      case int[] x -> MemorySegment.ofArray(x);
      case short[] x -> MemorySegment.ofArray(x);
      default -> MemorySegment.ofArray((byte[]) array);
    };
  }
}
