package dev.switchyard.kernels;

import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Draws the arguments of one case. A third of the cases are crooked: what should agree then does
 * not always, and what should be there may be null.
 */
final class FuzzDraw {
  private static final float CANARY = Float.intBitsToFloat(0x7fc5_a5a5);

  /** What elements are drawn from. */
  enum Kind {
    /** Integers in [-8, 8]: all sums are exact in float. */
    INTEGERS,
    /** Reals in [-3, 3). */
    REALS,
    /** Reals with a NaN or an infinity here and there. */
    NOT_FINITE
  }

  final FuzzCase out;
  final Kind kind;
  private final SplittableRandom random;
  private final boolean crooked;
  private final int most;

  FuzzDraw(long seed, FuzzCase out) {
    this.out = out;
    random = new SplittableRandom(seed);
    crooked = chance(3);
    kind = chance(8) ? Kind.NOT_FINITE : any(Kind.INTEGERS, Kind.REALS);
    most = chance(600) ? 200 : any(6, 12, 40);
  }

  // Numbers

  boolean chance(int in) {
    return random.nextInt(in) == 0;
  }

  @SafeVarargs
  final <E> E any(E... values) {
    return values[random.nextInt(values.length)];
  }

  int below(int end) {
    return random.nextInt(end);
  }

  long bits() {
    return random.nextLong();
  }

  /** Rows or columns. */
  int size() {
    return most == 200 ? 100 + below(101) : below(most + 1);
  }

  /** A number that has to agree with {@code n}, and in crooked cases may not. */
  int like(int n) {
    if (!crooked || !chance(6)) {
      return n;
    }
    return chance(3) ? size() : Math.clamp((long) n + any(-1, 1, 2, 16), 0, Integer.MAX_VALUE);
  }

  /** Any int: mostly small, sometimes absurd. */
  int anything() {
    return switch (below(12)) {
      case 0 -> random.nextInt();
      case 1 -> any(Integer.MAX_VALUE, Integer.MIN_VALUE, Integer.MAX_VALUE - 1, 1 << 30);
      case 2 -> -1 - below(3);
      case 3 -> 1 << below(31);
      default -> below(12);
    };
  }

  /** The value, or null in some crooked cases; the call must refuse that. */
  <T> T orNull(T value) {
    if (crooked && chance(24)) {
      out.refuse(NullPointerException.class);
      return null;
    }
    return value;
  }

  boolean crooked(int in) {
    return crooked && chance(in);
  }

  float value() {
    if (kind == Kind.NOT_FINITE && chance(60)) {
      return any(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);
    }
    return kind == Kind.INTEGERS ? below(17) - 8 : (float) (6 * random.nextDouble() - 3);
  }

  // Matrices: views with margins all around, guarded

  /** Where a view lies; one without elements, or with one row, may have any stride. */
  private record Place(int offset, int rowStride, int length) {}

  private Place place(int rows, int cols) {
    int offset = below(7);
    boolean loose = rows <= 1 || cols == 0;
    int stride = cols + below(5);
    if (loose && chance(3)) {
      stride = Math.max(cols, any(1 << 20, 1 << 30, Integer.MAX_VALUE));
    }
    long used = rows == 0 || cols == 0 ? 0 : (rows - 1L) * stride + cols;
    return new Place(offset, Math.max(stride, cols), (int) (offset + used + below(4)));
  }

  /** A view of nothing but canaries. */
  FloatMatrix blank(int rows, int cols) {
    Place p = place(rows, cols);
    float[] data = out.canaries.guard(new float[p.length]);
    Arrays.fill(data, CANARY);
    return new FloatMatrix(data, p.offset, rows, cols, p.rowStride);
  }

  FloatMatrix floats(int rows, int cols) {
    FloatMatrix m = blank(rows, cols);
    fill(m);
    return m;
  }

  void fill(FloatMatrix m) {
    for (int i = 0; m.cols() > 0 && i < m.rows(); i++) {
      for (int j = 0; j < m.cols(); j++) {
        m.data()[m.rowIndex(i) + j] = value();
      }
    }
  }

  Bfloat16Matrix halves(int rows, int cols) {
    Place p = place(rows, cols);
    short[] data = out.canaries.guard(new short[p.length]);
    Arrays.fill(data, Bfloat16.fromFloat(CANARY));
    Bfloat16Matrix m = new Bfloat16Matrix(data, p.offset, rows, cols, p.rowStride);
    for (int i = 0; cols > 0 && i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        m.set(i, j, value());
      }
    }
    return m;
  }

  IntMatrix ints(int rows, int cols) {
    Place p = place(rows, cols);
    int[] data = out.canaries.guard(new int[p.length]);
    Arrays.fill(data, 0x5eed_cafe);
    IntMatrix m = new IntMatrix(data, p.offset, rows, cols, p.rowStride);
    for (int i = 0; cols > 0 && i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        m.set(i, j, below(2001) - 1000);
      }
    }
    return m;
  }

  /** An array of {@code n} elements and more, the rest canaries. */
  float[] array(int n) {
    float[] array = out.canaries.guard(new float[n + below(4)]);
    Arrays.fill(array, CANARY);
    for (int i = 0; i < n; i++) {
      array[i] = value();
    }
    return array;
  }

  /** An int8 matrix: anything, or extremes alone; in a new buffer or one that held another. */
  QuantizedMatrix quantized(int rows, int cols, Scaling scaling) {
    QuantizedMatrix q = new QuantizedMatrix(scaling);
    if (chance(4)) {
      q.beginFill(Math.min(rows, 300) + below(9), Math.min(cols, 300) + below(70));
    }
    q.beginFill(rows, cols);
    int mode = below(5);
    for (int i = 0; i < rows; i++) {
      q.rowSums()[i] = 0;
      for (int j = 0; j < cols; j++) {
        int value =
            switch (mode) {
              case 0 -> any(-127, 127);
              case 1 -> 127;
              case 2 -> -127;
              default -> below(255) - 127;
            };
        q.data()[i * q.rowStride() + j] = (byte) value;
        q.rowSums()[i] += value;
      }
    }
    for (int i = 0; i < scaling.scales(rows, cols); i++) {
      q.scales()[i] = chance(100) ? any(0f, Float.NaN) : (1 + below(1000)) / 777f;
    }
    q.endFill();
    out.canaries.guard(q.data());
    out.canaries.guard(q.scales());
    out.canaries.guard(q.rowSums());
    return q;
  }
}
