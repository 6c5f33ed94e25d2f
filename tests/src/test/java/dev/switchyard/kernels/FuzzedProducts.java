package dev.switchyard.kernels;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Result;
import dev.switchyard.kernels.data.Scaling;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;

/**
 * Products of all types, forms and results, packed before or on the way, right and wrong. Bounds
 * are those of {@link ProductCase}, twice, since the reference rounds too; magnitudes are at most
 * the largest of each operand.
 */
final class FuzzedProducts {
  /** Half a unit in the last place of a bfloat16, relative to it. */
  private static final double BFLOAT16_ROUNDOFF = 0x1p-8;

  private final FuzzDraw draw;
  private final FuzzCase out;
  private final ElementType type;
  private final Form form;

  private FuzzedProducts(FuzzDraw draw) {
    this.draw = draw;
    this.out = draw.out;
    this.type = draw.any(ElementType.values());
    this.form = draw.any(Form.values());
  }

  static void product(FuzzDraw draw) {
    new FuzzedProducts(draw).multiply();
  }

  private void multiply() {
    int m = draw.size();
    int n = draw.size();
    int k = draw.size();
    if (draw.chance(200)) { // an inner dimension that no array could hold, of no elements
      m = 0;
      n = 0;
      k =
          type == ElementType.INT8
              ? draw.any(Kernels.MAX_INT8_INNER, Kernels.MAX_INT8_INNER + 1)
              : draw.any(1 << 16, form == Form.NT ? Integer.MAX_VALUE : 1 << 17);
    }
    int innerOfB = draw.like(k);
    Matrix a = operand(true, m, k);
    Matrix b = operand(false, n, innerOfB);
    out.require(k == innerOfB);
    int rows = draw.like(m);
    int cols = draw.like(n);
    out.require(rows == m && cols == n);
    boolean sums = a instanceof QuantizedMatrix && b instanceof QuantizedMatrix && integral();
    out.require(!sums || k <= Kernels.MAX_INT8_INNER);
    Epilogue epilogue = draw.orNull(epilogue(n, sums));
    Result c = result(rows, cols, sums, epilogue);
    // The result may be an operand's own memory: nobody knows what comes out, but it stays there.
    boolean overlaps = false;
    if (!out.isRefused() && c instanceof FloatMatrix && draw.chance(20)) {
      FloatMatrix shared = overlapping(a, m, n);
      overlaps = shared != null;
      c = overlaps ? shared : c;
    }
    // Of an operand without values there is no largest; a call with one is refused.
    boolean any = overlaps || out.isRefused();
    out.output(c, any ? FuzzCase.ANY : bound(a, b, epilogue, c, k));
    call(draw.orNull(a), draw.orNull(b), epilogue, c, draw.crooked(20));
  }

  private boolean integral() {
    return type == ElementType.INT8 && draw.chance(3);
  }

  /** Holds values, or canaries that a product which stores may not take into account. */
  private Result result(int rows, int cols, boolean sums, Epilogue epilogue) {
    if (sums) {
      return draw.ints(rows, cols);
    }
    if (draw.chance(3)) {
      return draw.halves(rows, cols);
    }
    boolean stores = epilogue != null && !epilogue.accumulate();
    return stores && draw.chance(2) ? draw.blank(rows, cols) : draw.floats(rows, cols);
  }

  private static FloatMatrix overlapping(Matrix a, int m, int n) {
    if (a instanceof FloatMatrix f && f.data().length >= (long) m * n) {
      return new FloatMatrix(f.data(), f.data().length - m * n, m, n, n);
    }
    return null;
  }

  private Epilogue epilogue(int cols, boolean integers) {
    boolean accumulate = draw.chance(2);
    if (integers ? !draw.crooked(8) : draw.chance(2)) {
      return new Epilogue(null, accumulate);
    }
    out.require(!integers);
    int length = draw.like(cols);
    float[] bias = draw.out.canaries.guard(new float[length]);
    for (int i = 0; i < length; i++) {
      bias[i] = draw.value();
    }
    out.require(length >= cols);
    return new Epilogue(bias, accumulate);
  }

  /** An operand as its form stores it, of a kind that its type takes or does not. */
  private Matrix operand(boolean left, int outer, int inner) {
    boolean transposed = left ? form == Form.TN : form != Form.NT;
    int rows = transposed ? inner : outer;
    int cols = transposed ? outer : inner;
    if (type == ElementType.INT8 ? draw.crooked(16) : !draw.chance(4)) {
      out.require(type != ElementType.INT8);
      return draw.chance(2) ? draw.floats(rows, cols) : draw.halves(rows, cols);
    }
    Scaling outerScaling = transposed ? Scaling.COLUMN : Scaling.ROW;
    Scaling scaling = draw.chance(2) ? outerScaling : Scaling.TENSOR;
    boolean wrong = type == ElementType.INT8 && draw.crooked(16);
    if (wrong) {
      scaling = transposed ? Scaling.ROW : Scaling.COLUMN;
    }
    out.require(!wrong);
    QuantizedMatrix q = draw.quantized(rows, cols, scaling);
    if (draw.crooked(24)) {
      q.beginFill(rows, cols);
      out.refuse(IllegalStateException.class);
    }
    return q;
  }

  private void call(Matrix a, Matrix b, Epilogue epilogue, Result c, boolean foreign) {
    boolean packed = foreign || draw.chance(2);
    boolean empty = packed && draw.crooked(20);
    if (empty) {
      out.refuse(IllegalStateException.class);
    } else if (foreign) {
      out.require(false);
    }
    // A buffer that held another operand before: too small, too large, of another type.
    FloatMatrix earlier = draw.chance(4) ? draw.floats(draw.size(), draw.size()) : null;
    String what =
        String.format(
            Locale.ROOT,
            "%s %s %s x %s to %s %s%s",
            type,
            form,
            describe(a),
            describe(b),
            c,
            epilogue,
            packed ? foreign ? " foreign" : empty ? " empty" : " packed" : "");
    out.call(
        what,
        kernels -> {
          if (!packed) {
            direct(kernels, a, b, epilogue, c);
            return;
          }
          PackedMatrix panels = new PackedMatrix();
          if (earlier != null && !empty) {
            kernels.pack(ElementType.FLOAT32, Form.NN, earlier, panels);
          }
          if (!empty) {
            (foreign ? other(kernels) : kernels).pack(type, form, b, panels);
          }
          packed(kernels, a, panels, epilogue, c);
        });
  }

  private void direct(Kernels kernels, Matrix a, Matrix b, Epilogue epilogue, Result c) {
    switch (c) {
      case FloatMatrix x -> kernels.multiply(type, form, a, b, epilogue, x);
      case Bfloat16Matrix x -> kernels.multiply(type, form, a, b, epilogue, x);
      case IntMatrix x ->
          kernels.multiply(form, (QuantizedMatrix) a, (QuantizedMatrix) b, epilogue, x);
    }
  }

  private static void packed(
      Kernels kernels, Matrix a, PackedMatrix b, Epilogue epilogue, Result c) {
    switch (c) {
      case FloatMatrix x -> kernels.multiply(a, b, epilogue, x);
      case Bfloat16Matrix x -> kernels.multiply(a, b, epilogue, x);
      case IntMatrix x -> kernels.multiply((QuantizedMatrix) a, b, epilogue, x);
    }
  }

  private static final Kernels REFERENCE = Setup.serial("reference");
  private static final Kernels VECTOR = Setup.serial("vector");

  private static Kernels other(Kernels kernels) {
    return kernels.backend().name().equals("reference") ? VECTOR : REFERENCE;
  }

  /** int8 products and sums of small integers are exact. */
  private IntToDoubleFunction bound(Matrix a, Matrix b, Epilogue epilogue, Result c, int inner) {
    boolean whole =
        draw.kind == FuzzDraw.Kind.INTEGERS
            && !(a instanceof QuantizedMatrix)
            && !(b instanceof QuantizedMatrix);
    if (type == ElementType.INT8 || whole) {
      return FuzzCase.EXACT;
    }
    // 1.01: operands are rounded to bfloat16 first, by 2^-8 of themselves.
    double terms = 1.01 * 1.01 * inner * largest(a) * largest(b);
    double others = 8 * (epilogue == null ? 0 : (epilogue.bias() == null ? 0 : 1) + 1);
    double magnitude = terms + others;
    double bound = 2 * RowOperation.gamma(inner + 2) * magnitude;
    return c instanceof Bfloat16Matrix
        ? i -> bound + 2 * BFLOAT16_ROUNDOFF * (magnitude + bound)
        : i -> bound;
  }

  private static double largest(Matrix m) {
    double largest = 0;
    for (int i = 0; m.cols() > 0 && i < m.rows(); i++) {
      for (int j = 0; j < m.cols(); j++) {
        double value =
            switch (m) {
              case FloatMatrix f -> f.get(i, j);
              case Bfloat16Matrix h -> h.get(i, j);
              case QuantizedMatrix q -> 127 * q.scale(i, j);
            };
        largest = Double.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest;
      }
    }
    return largest;
  }

  private static String describe(Matrix m) {
    return m == null
        ? "null"
        : m.getClass().getSimpleName()
            + " "
            + m.shape()
            + (m instanceof QuantizedMatrix q ? " " + q.scaling() : "");
  }
}
