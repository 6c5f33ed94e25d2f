package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Seeded matrices that lie anywhere in their arrays, and comparisons of matrices. The elements of
 * an array that are not part of its matrix are canaries: NaNs that spoil every sum they get into,
 * with bits that show whether anything was written over them.
 */
final class Matrices {
  private static final int CANARY_BITS = 0x7fc5_a5a5;
  private static final float CANARY = Float.intBitsToFloat(CANARY_BITS);

  private Matrices() {}

  /** Draws one value. */
  interface Values {
    float at(long key, int index);

    Values GAUSSIAN = CounterRandom::gaussian;

    /** Integers in [-8, 8], whose sums of products are exact in float up to 2^18 products. */
    Values INTEGERS = (key, index) -> Math.floorMod(CounterRandom.bits(key, index), 17) - 8;
  }

  /** A number for each element of a matrix. */
  interface Cell {
    double at(int row, int col);

    Cell ZERO = (row, col) -> 0;
  }

  // Matrices

  /** A matrix full of canaries, with random offset, row stride and tail. */
  static FloatMatrix blank(int rows, int cols, long seed) {
    long key = new CounterRandom(seed).key(-1);
    int offset = Math.floorMod(CounterRandom.bits(key, 0), 7);
    int rowStride = cols + Math.floorMod(CounterRandom.bits(key, 1), 5);
    int tail = Math.floorMod(CounterRandom.bits(key, 2), 4);
    float[] data = new float[offset + rows * rowStride + tail];
    Arrays.fill(data, CANARY);
    return new FloatMatrix(data, offset, rows, cols, rowStride);
  }

  static FloatMatrix random(int rows, int cols, long seed, Values values) {
    FloatMatrix m = blank(rows, cols, seed);
    for (int i = 0; i < rows; i++) {
      long key = new CounterRandom(seed).key(i);
      for (int j = 0; j < cols; j++) {
        m.set(i, j, values.at(key, j));
      }
    }
    return m;
  }

  static FloatMatrix gaussian(int rows, int cols, long seed) {
    return random(rows, cols, seed, Values.GAUSSIAN);
  }

  /** A view like {@code m} of another array with the same content. */
  static FloatMatrix copy(FloatMatrix m) {
    return new FloatMatrix(m.data().clone(), m.offset(), m.rows(), m.cols(), m.rowStride());
  }

  static IntMatrix blankInts(int rows, int cols, long seed) {
    FloatMatrix m = blank(rows, cols, seed);
    int[] data = bits(m.data());
    return new IntMatrix(data, m.offset(), rows, cols, m.rowStride());
  }

  /** The same values rounded to bfloat16; the canaries stay NaNs. */
  static Bfloat16Matrix toBfloat16(FloatMatrix m) {
    short[] data = new short[m.data().length];
    for (int i = 0; i < data.length; i++) {
      data[i] = Bfloat16.fromFloat(m.data()[i]);
    }
    return new Bfloat16Matrix(data, m.offset(), m.rows(), m.cols(), m.rowStride());
  }

  /** Chooses an int8 value. */
  interface Levels {
    int at(int row, int col);
  }

  /** An int8 matrix of given values and random scales. */
  static QuantizedMatrix quantized(int rows, int cols, Scaling scaling, long seed, Levels levels) {
    QuantizedMatrix q = new QuantizedMatrix(scaling);
    q.beginFill(rows, cols);
    for (int i = 0; i < rows; i++) {
      q.rowSums()[i] = 0;
      for (int j = 0; j < cols; j++) {
        q.data()[i * q.rowStride() + j] = (byte) levels.at(i, j);
        q.rowSums()[i] += levels.at(i, j);
      }
    }
    long key = new CounterRandom(seed).key(-2);
    for (int i = 0; i < scaling.scales(rows, cols); i++) {
      q.scales()[i] = 0.01f + CounterRandom.uniform(key, i);
    }
    q.endFill();
    return q;
  }

  /** An int8 matrix of random values over the whole range. */
  static QuantizedMatrix quantized(int rows, int cols, Scaling scaling, long seed) {
    CounterRandom random = new CounterRandom(seed);
    return quantized(
        rows,
        cols,
        scaling,
        seed,
        (i, j) -> Math.floorMod(CounterRandom.bits(random.key(i), j), 255) - 127);
  }

  // What is in them

  /** The elements as a product of a type sees them, dense and row-major; int8 without scales. */
  static double[] values(Matrix m, ElementType type) {
    double[] values = new double[m.rows() * m.cols()];
    for (int i = 0; i < values.length; i++) {
      values[i] = value(m, i / m.cols(), i % m.cols(), type);
    }
    return values;
  }

  private static double value(Matrix m, int row, int col, ElementType type) {
    float value =
        switch (m) {
          case FloatMatrix f -> f.get(row, col);
          case Bfloat16Matrix h -> h.get(row, col);
          case QuantizedMatrix q ->
              type == ElementType.INT8 ? q.get(row, col) : q.scale(row, col) * q.get(row, col);
        };
    return type == ElementType.BFLOAT16 ? Bfloat16.round(value) : value;
  }

  /** Everything that a matrix is made of, canaries included, to compare before and after a call. */
  static int[] content(Matrix m) {
    return switch (m) {
      case FloatMatrix f -> bits(f.data());
      case Bfloat16Matrix h -> {
        int[] content = new int[h.data().length];
        Arrays.setAll(content, i -> h.data()[i]);
        yield content;
      }
      case QuantizedMatrix q -> {
        int bytes = q.rows() * q.rowStride();
        int scales = q.scaling().scales(q.rows(), q.cols());
        int[] content = new int[bytes + scales + q.rows()];
        for (int i = 0; i < bytes; i++) {
          content[i] = q.data()[i];
        }
        for (int i = 0; i < scales; i++) {
          content[bytes + i] = Float.floatToRawIntBits(q.scales()[i]);
        }
        System.arraycopy(q.rowSums(), 0, content, bytes + scales, q.rows());
        yield content;
      }
    };
  }

  /** The panels as they lie in an array or in native memory. */
  static int[] content(PackedMatrix p) {
    return p.memory().byteSize() == 0 ? bits(p.array()) : p.memory().toArray(ValueLayout.JAVA_INT);
  }

  static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
    return bits;
  }

  // Comparisons

  static void assertGapsUntouched(FloatMatrix m, String what) {
    assertGapsUntouched(
        new IntMatrix(bits(m.data()), m.offset(), m.rows(), m.cols(), m.rowStride()), what);
  }

  static void assertGapsUntouched(IntMatrix m, String what) {
    for (int i = 0; i < m.data().length; i++) {
      int at = i - m.offset();
      boolean before = at < 0 || m.rowStride() == 0;
      boolean gap = before || at / m.rowStride() >= m.rows() || at % m.rowStride() >= m.cols();
      if (gap && m.data()[i] != CANARY_BITS) {
        fail("%s: array element %d, outside the result view, was written", what, i);
      }
    }
  }

  /** Checks that each element is within a bound of what is expected; NaN where NaN is expected. */
  static void assertClose(FloatMatrix actual, Cell expected, Cell bound, String what) {
    for (int i = 0; i < actual.rows(); i++) {
      for (int j = 0; j < actual.cols(); j++) {
        float value = actual.get(i, j);
        double target = expected.at(i, j);
        boolean close =
            Double.isNaN(target)
                ? Float.isNaN(value)
                : value == target || Math.abs(value - target) <= bound.at(i, j);
        if (!close) {
          fail(
              "%s: element (%d, %d) is %s but should be %s within %s",
              what, i, j, value, target, bound.at(i, j));
        }
      }
    }
  }

  static void assertSameBits(FloatMatrix actual, FloatMatrix expected, String what) {
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    for (int i = 0; i < actual.rows(); i++) {
      for (int j = 0; j < actual.cols(); j++) {
        float a = actual.get(i, j);
        float e = expected.get(i, j);
        if (Float.floatToRawIntBits(a) != Float.floatToRawIntBits(e)) {
          fail("%s: element (%d, %d) is %s in one and %s in the other", what, i, j, a, e);
        }
      }
    }
  }

  /** Checks that values, scales and row sums are the same bit for bit. */
  static void assertSame(QuantizedMatrix actual, QuantizedMatrix expected, String what) {
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    assertThat(content(actual)).as(what).isEqualTo(content(expected));
  }
}
