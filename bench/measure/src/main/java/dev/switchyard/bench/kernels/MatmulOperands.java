package dev.switchyard.bench.kernels;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;

/**
 * Operands of Y = X W^T + bias, made up, and in the types that products take.
 *
 * @param x [m, k]
 * @param w [n, k]
 * @param bias n values
 */
record MatmulOperands(FloatMatrix x, FloatMatrix w, float[] bias) {
  static MatmulOperands of(int m, int n, int k) {
    return new MatmulOperands(
        Operands.uniform(m, k, 1), Operands.uniform(n, k, 2), Operands.uniform(1, n, 3).data());
  }

  /** From a shape such as {@code 2048x3072x768}: m x n x k. */
  static MatmulOperands of(String shape) {
    int[] sizes = Operands.sizes(shape);
    return of(sizes[0], sizes[1], sizes[2]);
  }

  int m() {
    return x.rows();
  }

  int n() {
    return w.rows();
  }

  int k() {
    return x.cols();
  }

  /** X as a linear layer gives it to Switchyard: int8 has a scale for each row. */
  Matrix left(ElementType type) {
    return converted(type, x, Scaling.ROW);
  }

  /** X as peers can take it: int8 has one scale. */
  Matrix leftOfPeer(ElementType type) {
    return converted(type, x, Scaling.TENSOR);
  }

  /** W: int8 has one scale. */
  Matrix right(ElementType type) {
    return converted(type, w, Scaling.TENSOR);
  }

  private static Matrix converted(ElementType type, FloatMatrix matrix, Scaling scaling) {
    return switch (type) {
      case FLOAT32 -> matrix;
      case BFLOAT16 -> bfloat16(matrix);
      case INT8 -> {
        QuantizedMatrix quantized = new QuantizedMatrix(scaling);
        Kernels.create(Parallel.serial()).quantize(matrix, quantized);
        yield quantized;
      }
    };
  }

  private static Bfloat16Matrix bfloat16(FloatMatrix matrix) {
    Bfloat16Matrix rounded = Bfloat16Matrix.allocate(matrix.rows(), matrix.cols());
    for (int i = 0; i < rounded.data().length; i++) {
      rounded.data()[i] = Bfloat16.fromFloat(matrix.data()[i]);
    }
    return rounded;
  }
}
