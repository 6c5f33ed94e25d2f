package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Storage that goes round: what is given back is handed out again to whoever needs about that size,
 * so that a training step, once warm, allocates nothing that grows with the model. A buffer's
 * content is whatever its last user left in it.
 *
 * <p>A buffer is either free or lent, so that none is ever lent twice at a time: it leaves the lent
 * before it joins the free, and what is not lent is not taken back. Where an error comes in
 * between, the garbage collector has it. Thread-safe, for the tasks of one layer that take their
 * scratch at the same time.
 */
final class Buffers {
  private static final int SMALLEST = 64;

  private final boolean pooling;
  private final Map<Integer, Free<float[]>> floats;
  private final Map<Scaling, Map<Integer, Free<QuantizedMatrix>>> quantized;
  private final Map<Integer, Free<int[]>> indices;

  /** True while with who took it; then it is the tape's. */
  private final IdentityHashMap<Object, Boolean> lent;

  private final List<FloatMatrix> keptFloats = new ArrayList<>();
  private final List<QuantizedMatrix> keptQuantized = new ArrayList<>();
  private final List<int[]> keptIndices = new ArrayList<>();

  /** Those of one size. Not the JDK's deque, whose steps an error can come between. */
  private static final class Free<T> {
    private Object[] buffers = new Object[4];
    private int count;

    void put(T buffer) {
      if (count == buffers.length) {
        buffers = Arrays.copyOf(buffers, 2 * count);
      }
      buffers[count++] = buffer;
    }

    /** The one that came last, or null. */
    @SuppressWarnings("unchecked")
    T take() {
      if (count == 0) {
        return null;
      }
      T buffer = (T) buffers[--count];
      buffers[count] = null;
      return buffer;
    }
  }

  private Buffers(boolean pooling) {
    this.pooling = pooling;
    floats = new HashMap<>();
    quantized = new EnumMap<>(Scaling.class);
    indices = new HashMap<>();
    lent = new IdentityHashMap<>();
  }

  private Buffers(Buffers whole) {
    pooling = whole.pooling;
    floats = whole.floats;
    quantized = whole.quantized;
    indices = whole.indices;
    lent = whole.lent;
  }

  /** Storage that goes round. */
  static Buffers pooled() {
    return new Buffers(true);
  }

  /** Ordinary objects, made for each who asks. */
  static Buffers unpooled() {
    return new Buffers(false);
  }

  /**
   * The same storage with kept buffers of its own, for a tape that runs while the one of these
   * buffers waits for it: never two at a time.
   */
  Buffers sharing() {
    return new Buffers(this);
  }

  synchronized FloatMatrix take(int rows, int cols) {
    long elements = (long) rows * cols;
    if (!pooling || elements > Integer.MAX_VALUE / 2) {
      return FloatMatrix.allocate(rows, cols); // or an error that says why not
    }
    int size = sizeClass((int) elements);
    Free<float[]> free = floats.get(size);
    float[] data = free == null ? null : free.take();
    FloatMatrix matrix = FloatMatrix.of(data == null ? new float[size] : data, rows, cols);
    lent.put(matrix.data(), true);
    return matrix;
  }

  /** Whether a matrix lies in a buffer that was handed out, and neither given back nor owned. */
  synchronized boolean isLent(Matrix matrix) {
    return switch (matrix) {
      case FloatMatrix floats ->
          !pooling
              || floats.data().length > Integer.MAX_VALUE / 2
              || lent.getOrDefault(floats.data(), false);
      default -> !pooling || lent.getOrDefault(matrix, false);
    };
  }

  /** Makes a buffer the tape's, which gives it back itself: whoever took it no longer may. */
  synchronized void own(FloatMatrix matrix) {
    lent.replace(matrix.data(), false);
  }

  /** Takes back a buffer, unless it was not lent. */
  synchronized void giveBack(FloatMatrix matrix) {
    if (lent.remove(matrix.data()) != null) {
      floats.computeIfAbsent(matrix.data().length, size -> new Free<>()).put(matrix.data());
    }
  }

  /** A buffer to be filled with a matrix of the given shape. */
  synchronized QuantizedMatrix take(Scaling scaling, int rows, int cols) {
    QuantizedMatrix free = pooling ? freeQuantized(scaling, rows, cols).take() : null;
    QuantizedMatrix matrix = free == null ? new QuantizedMatrix(scaling) : free;
    if (pooling) {
      lent.put(matrix, true);
    }
    return matrix;
  }

  /** Takes back a buffer that holds a matrix of the shape it was taken for. */
  synchronized void giveBack(QuantizedMatrix matrix) {
    if (lent.remove(matrix) != null) {
      freeQuantized(matrix.scaling(), matrix.rows(), matrix.cols()).put(matrix);
    }
  }

  private Free<QuantizedMatrix> freeQuantized(Scaling scaling, int rows, int cols) {
    int size = sizeClass((int) Math.min(Integer.MAX_VALUE / 2, (long) rows * cols));
    return quantized
        .computeIfAbsent(scaling, s -> new HashMap<>())
        .computeIfAbsent(size, s -> new Free<>());
  }

  synchronized int[] takeIndices(int length) {
    if (!pooling) {
      return new int[length];
    }
    int size = sizeClass(length);
    Free<int[]> free = indices.get(size);
    int[] old = free == null ? null : free.take();
    int[] buffer = old == null ? new int[size] : old;
    lent.put(buffer, true);
    return buffer;
  }

  private void giveBack(int[] buffer) {
    if (lent.remove(buffer) != null) {
      indices.computeIfAbsent(buffer.length, size -> new Free<>()).put(buffer);
    }
  }

  /** Notes a buffer for {@link #recycleKept()}. */
  synchronized void keep(int[] buffer) {
    keptIndices.add(buffer);
  }

  /** Notes a buffer for {@link #recycleKept()}. */
  synchronized void keep(FloatMatrix matrix) {
    own(matrix);
    keptFloats.add(matrix);
  }

  /** Notes a buffer for {@link #recycleKept()}. */
  synchronized void keep(QuantizedMatrix matrix) {
    lent.replace(matrix, false);
    keptQuantized.add(matrix);
  }

  /** Whether a buffer is kept: most likely one of the latest. */
  synchronized boolean keeps(FloatMatrix matrix) {
    return keptFloats.lastIndexOf(matrix) >= 0;
  }

  /** Gives back a buffer that was kept. */
  synchronized void giveBackKept(FloatMatrix matrix) {
    keptFloats.remove(keptFloats.lastIndexOf(matrix));
    giveBack(matrix);
  }

  /** What the kept buffers take. */
  synchronized long bytesKept() {
    long floatBytes =
        keptFloats.stream().mapToLong(m -> Float.BYTES * (long) m.data().length).sum();
    long indexBytes = keptIndices.stream().mapToLong(i -> Integer.BYTES * (long) i.length).sum();
    return floatBytes
        + indexBytes
        + keptQuantized.stream()
            .mapToLong(
                q ->
                    q.data().length
                        + (long) Float.BYTES * q.scales().length
                        + (long) Integer.BYTES * q.rowSums().length)
            .sum();
  }

  /**
   * Gives back all buffers that were kept since the last call, the first of them to be the next
   * that is taken. After an error it goes on where it was.
   */
  synchronized void recycleKept() {
    while (!keptFloats.isEmpty()) {
      giveBack(keptFloats.removeLast());
    }
    while (!keptQuantized.isEmpty()) {
      giveBack(keptQuantized.removeLast());
    }
    while (!keptIndices.isEmpty()) {
      giveBack(keptIndices.removeLast());
    }
  }

  /** Leaves to the garbage collector what was lent and is not kept: errors came in its way. */
  synchronized void forgetLent() {
    lent.clear();
  }

  /**
   * Four sizes an octave: at most a quarter of a buffer is unused, and batches may vary a little.
   */
  private static int sizeClass(int elements) {
    if (elements <= SMALLEST) {
      return SMALLEST;
    }
    int step = Integer.highestOneBit(elements - 1) / 4;
    return (elements + step - 1) / step * step;
  }
}
