package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Storage that goes round: what is given back is handed out again to whoever needs about that size,
 * so that a training step, once warm, allocates nothing that grows with the model. A buffer's
 * content is whatever its last user left in it.
 *
 * <p>Buffers that are never given back are left to the garbage collector. Thread-safe, for the
 * tasks of one layer that take their scratch at the same time.
 */
final class Buffers {
  private static final int SMALLEST = 64;

  private final Map<Integer, Deque<float[]>> floats;
  private final Map<Scaling, Map<Integer, Deque<QuantizedMatrix>>> quantized;
  private final Map<Integer, Deque<int[]>> indices;
  private final List<FloatMatrix> keptFloats = new ArrayList<>();
  private final List<QuantizedMatrix> keptQuantized = new ArrayList<>();
  private final List<int[]> keptIndices = new ArrayList<>();

  Buffers() {
    floats = new HashMap<>();
    quantized = new EnumMap<>(Scaling.class);
    indices = new HashMap<>();
  }

  private Buffers(Buffers whole) {
    floats = whole.floats;
    quantized = whole.quantized;
    indices = whole.indices;
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
    if (elements > Integer.MAX_VALUE / 2) {
      return FloatMatrix.allocate(rows, cols); // or an error that says why not
    }
    int size = sizeClass((int) elements);
    Deque<float[]> free = floats.get(size);
    float[] data = free == null || free.isEmpty() ? new float[size] : free.pop();
    return FloatMatrix.of(data, rows, cols);
  }

  synchronized void giveBack(FloatMatrix matrix) {
    floats.computeIfAbsent(matrix.data().length, size -> new ArrayDeque<>()).push(matrix.data());
  }

  /** A buffer to be filled with a matrix of the given shape. */
  synchronized QuantizedMatrix take(Scaling scaling, int rows, int cols) {
    Deque<QuantizedMatrix> free = freeQuantized(scaling, rows, cols);
    return free.isEmpty() ? new QuantizedMatrix(scaling) : free.pop();
  }

  /** Takes back a buffer that holds a matrix of the shape it was taken for. */
  synchronized void giveBack(QuantizedMatrix matrix) {
    freeQuantized(matrix.scaling(), matrix.rows(), matrix.cols()).push(matrix);
  }

  private Deque<QuantizedMatrix> freeQuantized(Scaling scaling, int rows, int cols) {
    int size = sizeClass((int) Math.min(Integer.MAX_VALUE / 2, (long) rows * cols));
    return quantized
        .computeIfAbsent(scaling, s -> new HashMap<>())
        .computeIfAbsent(size, s -> new ArrayDeque<>());
  }

  synchronized int[] takeIndices(int length) {
    int size = sizeClass(length);
    Deque<int[]> free = indices.get(size);
    return free == null || free.isEmpty() ? new int[size] : free.pop();
  }

  /** Notes a buffer for {@link #recycleKept()}. */
  synchronized void keep(int[] buffer) {
    keptIndices.add(buffer);
  }

  /** Notes a buffer for {@link #recycleKept()}. */
  synchronized void keep(FloatMatrix matrix) {
    keptFloats.add(matrix);
  }

  /** Notes a buffer for {@link #recycleKept()}. */
  synchronized void keep(QuantizedMatrix matrix) {
    keptQuantized.add(matrix);
  }

  /** Gives back a buffer that was kept, most likely one of the latest. */
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

  /** Gives back all buffers that were kept since the last call. */
  synchronized void recycleKept() {
    keptFloats.forEach(this::giveBack);
    keptFloats.clear();
    keptQuantized.forEach(this::giveBack);
    keptQuantized.clear();
    for (int[] buffer : keptIndices) {
      indices.computeIfAbsent(buffer.length, size -> new ArrayDeque<>()).push(buffer);
    }
    keptIndices.clear();
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
