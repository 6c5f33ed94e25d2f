package dev.switchyard.bench.kernels;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;
import java.util.Locale;

/** What the benchmarks of kernels have in common. */
final class Operands {
  private Operands() {}

  /** The sizes of a shape such as {@code 2048x3072x768}. */
  static int[] sizes(String shape) {
    return Arrays.stream(shape.split("x", -1)).mapToInt(Integer::parseInt).toArray();
  }

  /** Numbers from -0.5 to 0.5. */
  static FloatMatrix uniform(int rows, int cols, long seed) {
    FloatMatrix matrix = FloatMatrix.allocate(rows, cols);
    long key = new CounterRandom(seed).key(0);
    for (int i = 0; i < matrix.data().length; i++) {
      matrix.data()[i] = CounterRandom.uniform(key, i) - 0.5f;
    }
    return matrix;
  }

  /** Numbers of the standard normal distribution. */
  static FloatMatrix gaussian(int rows, int cols, long seed) {
    FloatMatrix matrix = FloatMatrix.allocate(rows, cols);
    long key = new CounterRandom(seed).key(0);
    for (int i = 0; i < matrix.data().length; i++) {
      matrix.data()[i] = CounterRandom.gaussian(key, i);
    }
    return matrix;
  }

  /**
   * How far sums of {@code length} products of {@link #uniform} numbers may lie from the exact ones
   * if the operands are rounded to a type: 8 times the standard deviation or more, as there are
   * millions of sums.
   */
  static double tolerance(ElementType type, int length) {
    double each =
        switch (type) {
          case FLOAT32 -> 1e-5;
          case BFLOAT16 -> 1.5e-3;
          case INT8 -> 4e-3;
        };
    return each * Math.sqrt(length);
  }

  /** Refuses to time what computes something else. */
  static void checkEqual(String name, float[] actual, float[] expected, double tolerance) {
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= tolerance)) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "%s gives %s at %d (expected %s within %s): not timed",
                name,
                actual[i],
                i,
                expected[i],
                tolerance));
      }
    }
  }
}
