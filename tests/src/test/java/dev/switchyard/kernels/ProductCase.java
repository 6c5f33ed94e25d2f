package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.switchyard.kernels.Matrices.Cell;
import dev.switchyard.kernels.Matrices.Values;
import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.util.Arrays;

/**
 * A product of given operands with its naive sums in double precision, which are exact for int8.
 * The bound on a float product: a sum of n terms, each a product, that is rounded at most n times
 * in float differs from the exact one by at most gamma_n times the sum of the magnitudes, gamma_n =
 * n u / (1 - n u), u = 2^-24 (Higham 2002, section 3.1), in whatever order and with whatever fused
 * operations. Bias and the old value of C count as two more terms.
 */
final class ProductCase {
  private static final double UNIT_ROUNDOFF = 0x1p-24;

  /** What is multiplied, and what comes out. */
  enum Kind {
    INT8(ElementType.INT8),
    INT8_SUMS(ElementType.INT8),
    FLOAT32(ElementType.FLOAT32),
    BFLOAT16(ElementType.BFLOAT16);

    final ElementType type;

    Kind(ElementType type) {
      this.type = type;
    }
  }

  /** C is m x n, a sum has k terms. */
  record Shape(int m, int n, int k) {}

  private final Kind kind;
  private final Form form;
  private final Shape shape;
  private final Matrix a;
  private final Matrix b;
  private final Epilogue epilogue;
  private final FloatMatrix initial;
  private final boolean exact;
  private final String name;
  private double[] sums;
  private double[] magnitudes;

  private ProductCase(
      Kind kind, Form form, Shape shape, Matrix a, Matrix b, long seed, Values values) {
    this.kind = kind;
    this.form = form;
    this.shape = shape;
    this.a = a;
    this.b = b;
    boolean accumulate = (seed & 1) != 0;
    FloatMatrix bias = Matrices.random(1, shape.n + 2, seed + 3, values);
    boolean biased = (seed & 2) != 0 && kind != Kind.INT8_SUMS;
    float[] biases = Arrays.copyOfRange(bias.data(), bias.offset(), bias.offset() + bias.cols());
    this.epilogue = new Epilogue(biased ? biases : null, accumulate);
    this.initial =
        accumulate
            ? Matrices.random(shape.m, shape.n, seed + 4, values)
            : Matrices.blank(shape.m, shape.n, seed + 4);
    this.exact = kind.type == ElementType.INT8 || values.equals(Values.INTEGERS);
    this.name = kind + " " + form + " " + shape + " " + epilogue + " seed " + seed;
  }

  /** Random operands; the seed also decides on epilogue, scales and how operands are stored. */
  static ProductCase random(Kind kind, Form form, Shape s, long seed, Values values) {
    Matrix a = stored(kind, true, form == Form.TN, s.m, s.k, seed + 1, values);
    Matrix b = stored(kind, false, form != Form.NT, s.n, s.k, seed + 2, values);
    return new ProductCase(kind, form, s, a, b, seed, values);
  }

  static ProductCase random(Kind kind, Form form, Shape s, long seed) {
    return random(kind, form, s, seed, Values.GAUSSIAN);
  }

  /** Given operands, which must go together. */
  static ProductCase of(Kind kind, Form form, Matrix a, Matrix b, long seed) {
    Shape shape = new Shape(form.resultRows(a), form.resultCols(b), form.innerOf(a));
    return new ProductCase(kind, form, shape, a, b, seed, Values.GAUSSIAN);
  }

  private static Matrix stored(
      Kind kind, boolean left, boolean transposed, int outer, int inner, long seed, Values values) {
    int rows = transposed ? inner : outer;
    int cols = transposed ? outer : inner;
    boolean variant = (seed >>> 2 & 1) != 0;
    return switch (kind) {
      case INT8, INT8_SUMS -> {
        Scaling fine = transposed ? Scaling.COLUMN : Scaling.ROW;
        yield Matrices.quantized(rows, cols, variant ? Scaling.TENSOR : fine, seed);
      }
      case FLOAT32 -> Matrices.random(rows, cols, seed, values);
      case BFLOAT16 -> {
        FloatMatrix m = Matrices.random(rows, cols, seed, values);
        yield variant == left ? m : Matrices.toBfloat16(m);
      }
    };
  }

  /** Multiplies with and without packing first, and checks results, gaps and operands. */
  void check(Kernels kernels, PackedMatrix buffer) {
    int[] oldA = Matrices.content(a);
    int[] oldB = Matrices.content(b);
    sum();
    if (kind == Kind.INT8_SUMS) {
      assertSums(sums(kernels));
      kernels.pack(kind.type, form, b, buffer);
      for (int use = 0; use < 2; use++) {
        IntMatrix c = initialInts();
        kernels.multiply((QuantizedMatrix) a, buffer, epilogue, c);
        assertSums(c);
      }
    } else {
      FloatMatrix direct = multiply(kernels);
      assertProduct(direct);
      kernels.pack(kind.type, form, b, buffer);
      for (int use = 0; use < 2; use++) {
        FloatMatrix c = Matrices.copy(initial);
        kernels.multiply(a, buffer, epilogue, c);
        Matrices.assertSameBits(c, direct, name + " packed");
        Matrices.assertGapsUntouched(c, name + " packed");
      }
      checkRounded(kernels, buffer);
    }
    assertThat(Matrices.content(a)).as(name + " left operand").isEqualTo(oldA);
    assertThat(Matrices.content(b)).as(name + " right operand").isEqualTo(oldB);
  }

  /** A bfloat16 result is the float one, from the same start, rounded once. */
  private void checkRounded(Kernels kernels, PackedMatrix buffer) {
    Bfloat16Matrix start = Matrices.toBfloat16(initial);
    FloatMatrix floats = Matrices.copy(initial);
    for (int i = 0; i < floats.data().length; i++) {
      floats.data()[i] = Bfloat16.toFloat(start.data()[i]);
    }
    kernels.multiply(a, buffer, epilogue, floats);
    int[] expected = Matrices.content(Matrices.toBfloat16(floats));

    Bfloat16Matrix packed = Matrices.toBfloat16(initial);
    kernels.multiply(a, buffer, epilogue, packed);
    assertThat(Matrices.content(packed)).as(name + " to bfloat16, packed").isEqualTo(expected);

    kernels.multiply(kind.type, form, a, b, epilogue, start);
    assertThat(Matrices.content(start)).as(name + " to bfloat16").isEqualTo(expected);
  }

  /** The bits of the result, without a check. */
  int[] resultBits(Kernels kernels) {
    return kind == Kind.INT8_SUMS ? sums(kernels).data() : Matrices.bits(multiply(kernels).data());
  }

  private FloatMatrix multiply(Kernels kernels) {
    FloatMatrix c = Matrices.copy(initial);
    kernels.multiply(kind.type, form, a, b, epilogue, c);
    return c;
  }

  private IntMatrix sums(Kernels kernels) {
    IntMatrix c = initialInts();
    kernels.multiply(form, (QuantizedMatrix) a, (QuantizedMatrix) b, epilogue, c);
    return c;
  }

  private IntMatrix initialInts() {
    IntMatrix c = Matrices.blankInts(shape.m, shape.n, name.length());
    for (int i = 0; epilogue.accumulate() && i < shape.m; i++) {
      for (int j = 0; j < shape.n; j++) {
        c.set(i, j, 1000 * i - j);
      }
    }
    return c;
  }

  private void sum() {
    double[] left = inner(Matrices.values(a, kind.type), form == Form.TN, shape.m);
    double[] right = inner(Matrices.values(b, kind.type), form != Form.NT, shape.n);
    sums = new double[shape.m * shape.n];
    magnitudes = new double[shape.m * shape.n];
    for (int i = 0; i < shape.m; i++) {
      for (int j = 0; j < shape.n; j++) {
        double sum = 0;
        double magnitude = 0;
        for (int l = 0; l < shape.k; l++) {
          double product = left[i * shape.k + l] * right[j * shape.k + l];
          sum += product;
          magnitude += Math.abs(product);
        }
        sums[i * shape.n + j] = sum;
        magnitudes[i * shape.n + j] = magnitude;
      }
    }
  }

  /** The values with the inner dimension contiguous. */
  private double[] inner(double[] values, boolean transposed, int outer) {
    if (!transposed) {
      return values;
    }
    double[] result = new double[values.length];
    for (int i = 0; i < outer; i++) {
      for (int l = 0; l < shape.k; l++) {
        result[i * shape.k + l] = values[l * outer + i];
      }
    }
    return result;
  }

  private void assertProduct(FloatMatrix c) {
    Cell before = epilogue.accumulate() ? initial::get : Cell.ZERO;
    Cell bias = epilogue.bias() == null ? Cell.ZERO : (i, j) -> epilogue.bias()[j];
    Cell expected =
        kind == Kind.INT8
            ? (i, j) -> (float) before.at(i, j) + scaledSum(i, j, (float) bias.at(i, j))
            : (i, j) -> sums[i * shape.n + j] + bias.at(i, j) + before.at(i, j);
    double roundings = (shape.k + 2) * UNIT_ROUNDOFF;
    double gamma = exact ? 0 : roundings / (1 - roundings);
    Cell bound =
        (i, j) ->
            gamma
                * (magnitudes[i * shape.n + j]
                    + Math.abs(bias.at(i, j))
                    + Math.abs(before.at(i, j)));
    Matrices.assertClose(c, expected, bound, name);
    Matrices.assertGapsUntouched(c, name);
  }

  private float scaledSum(int i, int j, float bias) {
    float scale = scale((QuantizedMatrix) a, i) * scale((QuantizedMatrix) b, j);
    return Math.fma((float) sums[i * shape.n + j], scale, bias);
  }

  private static float scale(QuantizedMatrix q, int index) {
    return q.scales()[q.scaling() == Scaling.TENSOR ? 0 : index];
  }

  private void assertSums(IntMatrix c) {
    IntMatrix before = initialInts();
    for (int i = 0; i < shape.m; i++) {
      for (int j = 0; j < shape.n; j++) {
        long old = epilogue.accumulate() ? before.get(i, j) : 0;
        long expected = old + (long) sums[i * shape.n + j];
        if (c.get(i, j) != expected) {
          fail("%s: sum (%d, %d) is %d, not %d", name, i, j, c.get(i, j), expected);
        }
      }
    }
    Matrices.assertGapsUntouched(c, name);
  }

  @Override
  public String toString() {
    return name;
  }
}
