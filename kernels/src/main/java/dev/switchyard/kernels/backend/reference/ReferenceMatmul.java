package dev.switchyard.kernels.backend.reference;

import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;

/** Every element of C as one sum over k: exact for int8, in double precision for float operands. */
final class ReferenceMatmul implements MatmulKernel {
  /** Panels of one column: the packed operand is then simply the transpose, k contiguous. */
  @Override
  public int panelCols() {
    return 1;
  }

  @Override
  public int tileRows() {
    return 1;
  }

  @Override
  public void reserve(PackedMatrix out) {
    out.reserveArray();
  }

  @Override
  public void pack(Matrix b, int rowBegin, int rowEnd, PackedMatrix out) {
    for (int row = rowBegin; row < rowEnd; row++) {
      for (int col = 0; col < b.cols(); col++) {
        int k = out.form() == Form.NT ? col : row;
        int j = out.form() == Form.NT ? row : col;
        out.array()[j * out.inner() + k] = operand(b, row, col, out.type());
      }
    }
  }

  @Override
  public void multiply(Product p, int rowBegin, int rowEnd, int panelBegin, int panelEnd) {
    for (int i = rowBegin; i < rowEnd; i++) {
      for (int j = panelBegin; j < panelEnd; j++) {
        boolean accumulate = p.epilogue().accumulate();
        switch (p.c()) {
          case IntMatrix c -> c.set(i, j, exactSum(p, i, j) + (accumulate ? c.get(i, j) : 0));
          case FloatMatrix c -> c.set(i, j, accumulate ? c.get(i, j) + y(p, i, j) : y(p, i, j));
          case Bfloat16Matrix c -> c.set(i, j, accumulate ? c.get(i, j) + y(p, i, j) : y(p, i, j));
        }
      }
    }
  }

  private static float y(Product p, int i, int j) {
    return p.isInt8() ? scaledSum(p, i, j) : (float) floatSum(p, i, j) + bias(p, j);
  }

  private static float scaledSum(Product p, int i, int j) {
    return Math.fma((float) exactSum(p, i, j), p.rowScale(i) * p.b().scale(j), bias(p, j));
  }

  private static int exactSum(Product p, int i, int j) {
    int sum = 0;
    for (int k = 0; k < p.inner(); k++) {
      sum += ((int) left(p, i, k)) * ((int) p.b().array()[j * p.inner() + k]);
    }
    return sum;
  }

  private static double floatSum(Product p, int i, int j) {
    double sum = 0;
    for (int k = 0; k < p.inner(); k++) {
      sum += (double) left(p, i, k) * p.b().array()[j * p.inner() + k];
    }
    return sum;
  }

  private static float bias(Product p, int j) {
    return p.epilogue().bias() == null ? 0 : p.epilogue().bias()[j];
  }

  private static float left(Product p, int i, int k) {
    return p.transposesA()
        ? operand(p.a(), k, i, p.b().type())
        : operand(p.a(), i, k, p.b().type());
  }

  /**
   * An element as the product's type sees it; int8 values are integers that a float holds exactly.
   */
  private static float operand(Matrix matrix, int row, int col, ElementType type) {
    int index = matrix.offset() + row * matrix.rowStride() + col;
    float value =
        switch (matrix) {
          case FloatMatrix m -> m.data()[index];
          case Bfloat16Matrix m -> Bfloat16.toFloat(m.data()[index]);
          case QuantizedMatrix m ->
              type == ElementType.INT8 ? m.data()[index] : m.data()[index] * m.scale(row, col);
        };
    return type == ElementType.BFLOAT16 ? Bfloat16.round(value) : value;
  }
}
