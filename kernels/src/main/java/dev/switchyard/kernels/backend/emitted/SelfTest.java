package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.backend.QuantizeKernel;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.util.Arrays;
import java.util.Locale;

/**
 * Runs each kernel once before anybody relies on it, on an odd shape that passes through all of its
 * loops. The operands are {@code a(i, k) = u(i) s(k)} and {@code b(k, j) = t(k) v(j)}, small whole
 * numbers, so that {@code c(i, j) = u(i) v(j) sum(s t)} is exact in every type, and known without a
 * second multiplication.
 */
final class SelfTest {
  private final MatmulKernel kernel;
  private final Target target;

  private SelfTest(MatmulKernel kernel, Target target) {
    this.kernel = kernel;
    this.target = target;
  }

  /**
   * Tests all kernels.
   *
   * @throws Unavailable if a result is wrong
   */
  static void run(MatmulKernel kernel, QuantizeKernel quantize, Target target) throws Unavailable {
    checkQuantize(quantize, target);
    SelfTest test = new SelfTest(kernel, target);
    for (ElementType type : ElementType.values()) {
      for (Form form : Form.values()) {
        for (int rows = 1; rows <= kernel.tileRows(); rows++) {
          test.check(type, form, rows);
        }
      }
    }
  }

  private void check(ElementType type, Form form, int m) throws Unavailable {
    int n = target.panelCols() + 3;
    int k = 4 * (4 * m + 5) + 1; // groups of 4, 4 of them a turn, a turn for each row, and a rest
    Matrix a = form == Form.TN ? outer(type, k, m, 3, 1) : outer(type, m, k, 1, 3);
    Matrix b = form == Form.NT ? outer(type, n, k, 2, 4) : outer(type, k, n, 4, 2);
    PackedMatrix packed = new PackedMatrix();
    packed.reshape("", type, form, b, target.panelCols());
    kernel.reserve(packed);
    kernel.pack(b, 0, b.rows(), packed);
    float[] bias = new float[n];
    Arrays.fill(bias, 7);
    FloatMatrix c = FloatMatrix.allocate(m, n);
    Arrays.fill(c.data(), 5);
    Product product = new Product();
    product.set(a, packed, new Epilogue(bias, true), c);
    kernel.multiply(product, 0, m, 0, packed.panelCount());
    int sum = 0;
    for (int i = 0; i < k; i++) {
      sum += value(3, i) * value(4, i);
    }
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        float expected = value(1, i) * value(2, j) * sum + 7 + 5;
        if (c.get(i, j) != expected) {
          throw new Unavailable(
              String.format(
                  Locale.ROOT,
                  "the self-test of %s %s with %d rows gave %s (expected %s)",
                  type,
                  form,
                  m,
                  c.get(i, j),
                  expected));
        }
      }
    }
  }

  /** Rows of {@code (row + 1) q(j)}, of which one is 127: q and the scales are known. */
  private static void checkQuantize(QuantizeKernel kernel, Target target) throws Unavailable {
    int rows = 3;
    int cols = 2 * QuantizeArguments.VECTORS * target.lanes() + 5;
    FloatMatrix x = FloatMatrix.allocate(rows, cols);
    int sum = 0;
    for (int j = 0; j < cols; j++) {
      int q = level(j);
      sum += q;
      for (int i = 0; i < rows; i++) {
        x.set(i, j, (i + 1) * q);
      }
    }
    QuantizedMatrix out = new QuantizedMatrix(Scaling.ROW);
    out.beginFill(rows, cols);
    kernel.quantizeRows(x, 0, rows, out);
    for (int i = 0; i < rows; i++) {
      expect("the scale of row " + i, out.scales()[i], i + 1);
      checkRow(out, i, sum);
    }
    expect("absmax", Float.intBitsToFloat(kernel.absMaxBits(x, 0, rows)), rows * 127);
    kernel.roundRows(x, 0, 1, 1, out);
    checkRow(out, 0, sum);
  }

  private static void checkRow(QuantizedMatrix q, int row, int sum) throws Unavailable {
    for (int j = 0; j < q.cols(); j++) {
      expect("q(" + row + ", " + j + ")", q.data()[row * q.rowStride() + j], level(j));
    }
    expect("the sum of row " + row, q.rowSums()[row], sum);
  }

  private static int level(int j) {
    return (37 * j) % 255 - 127;
  }

  private static void expect(String what, float value, float expected) throws Unavailable {
    if (value != expected) {
      throw new Unavailable(
          String.format(
              Locale.ROOT,
              "the self-test of quantization gave %s for %s (expected %s)",
              value,
              what,
              expected));
    }
  }

  /** Whole numbers from -3 to 3 that differ from place to place. */
  private static int value(int vector, int i) {
    return (i * (2 * vector + 1) + vector + i / 7) % 7 - 3;
  }

  private static Matrix outer(ElementType type, int rows, int cols, int ofRow, int ofCol) {
    if (type != ElementType.INT8) {
      FloatMatrix x = FloatMatrix.allocate(rows, cols);
      for (int i = 0; i < rows * cols; i++) {
        x.data()[i] = value(ofRow, i / cols) * value(ofCol, i % cols);
      }
      return x;
    }
    QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
    q.beginFill(rows, cols);
    q.scales()[0] = 1;
    for (int i = 0; i < rows; i++) {
      int sum = 0;
      for (int j = 0; j < cols; j++) {
        byte x = (byte) (value(ofRow, i) * value(ofCol, j));
        q.data()[i * q.rowStride() + j] = x;
        sum += x;
      }
      q.rowSums()[i] = sum;
    }
    q.endFill();
    return q;
  }
}
