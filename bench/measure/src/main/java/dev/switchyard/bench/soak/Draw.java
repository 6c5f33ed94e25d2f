package dev.switchyard.bench.soak;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;

/** What is drawn for a case: the same for the same seed and case, one draw after the other. */
final class Draw {
  /** One, primes, and what lies around the edges of tiles, vectors and cache lines. */
  private static final int[] SIZES = {
    1, 2, 3, 5, 7, 8, 11, 13, 15, 16, 17, 23, 31, 32, 33, 47, 61, 63, 64, 65, 97, 127, 128, 129, 251
  };

  private final CounterRandom random;
  private int draws;

  Draw(CounterRandom random) {
    this.random = random;
  }

  /** From {@code lowest} to {@code highest}. */
  int between(int lowest, int highest) {
    int bits = CounterRandom.bits(random.key(0), draws++);
    return lowest + Math.floorMod(bits, highest - lowest + 1);
  }

  /** From 0 to {@code highest}. */
  long upTo(long highest) {
    long bits = CounterRandom.bits(random.key(0), draws++) & 0xffff_ffffL;
    return (long) (0x1p-32 * bits * highest);
  }

  /** One of the sizes up to a highest. */
  int size(int highest) {
    int count = 0;
    while (count < SIZES.length && SIZES[count] <= highest) {
      count++;
    }
    return SIZES[between(0, count - 1)];
  }

  /** True once in so many draws. */
  boolean oneIn(int times) {
    return between(1, times) == 1;
  }

  @SafeVarargs
  final <T> T of(T... values) {
    return values[between(0, values.length - 1)];
  }

  /** A generator for weights or values, independent of all others. */
  CounterRandom generator() {
    return random.split(1 + draws++);
  }

  /** Normal values; some rows are zero, large or small, as they are in real batches. */
  FloatMatrix batch(int rows, int cols) {
    FloatMatrix batch = FloatMatrix.allocate(rows, cols);
    long key = generator().key(0);
    for (int i = 0; i < rows; i++) {
      float size = i == 0 || !oneIn(8) ? 1 : of(0f, 1e-3f, 30f);
      for (int j = 0; j < cols; j++) {
        batch.set(i, j, size * CounterRandom.gaussian(key, i * cols + j));
      }
    }
    return batch;
  }
}
