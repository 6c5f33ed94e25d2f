package dev.switchyard.kernels.driver;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Result;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.Arrays;

/**
 * An int8 product whose inner dimension is too long for an int32 sum, such as the input gradient of
 * a vocabulary of 250,002 tokens: it is cut into parts of at most {@link #LONGEST}, each of which
 * is an ordinary product with exact int32 sums. They are added up in int64, exactly, so that the
 * result is one rounding of the exact sum, as that of a shorter product is.
 *
 * <p>Rows of C are done some at a time, which bounds what the sums take. Parts of the operands are
 * copied: a pass over what the product reads many times.
 */
final class SplitProduct {
  /** 127 * 127 * 131072 still fits an int. */
  static final int LONGEST = 131_072;

  private static final int MOST_SUMS = 1 << 20;
  private static final int MOST_ROWS = 256;

  private final MatmulDriver driver;
  private final Parallel parallel;

  SplitProduct(MatmulDriver driver, Parallel parallel) {
    this.driver = driver;
    this.parallel = parallel;
  }

  /** Packs b part by part into a matrix whose shape is set. */
  void pack(QuantizedMatrix b, PackedMatrix out) {
    int from = 0;
    int count = Math.ceilDiv(out.inner(), LONGEST);
    for (PackedMatrix part : out.split(count)) {
      int to = (int) Math.min(out.inner(), (long) from + LONGEST);
      QuantizedMatrix some =
          out.form() == Form.NT ? part(b, 0, b.rows(), from, to) : part(b, from, to, 0, b.cols());
      driver.pack(ElementType.INT8, out.form(), some, part);
      from = to;
    }
  }

  /** C = epilogue(A op B) for a B in parts. */
  void multiply(QuantizedMatrix a, PackedMatrix b, Epilogue epilogue, Result c) {
    int rows = b.form().resultRows(a);
    int cols = b.cols();
    if (rows == 0 || cols == 0) {
      return;
    }
    int most = Math.clamp(MOST_SUMS / cols, 1, MOST_ROWS);
    long[] sums = new long[Math.min(rows, most) * cols];
    IntMatrix ofPart = IntMatrix.allocate(Math.min(rows, most), cols);
    for (int row = 0; row < rows; row += most) {
      int begin = row;
      int end = (int) Math.min(rows, (long) row + most);
      Arrays.fill(sums, 0);
      int from = 0;
      for (PackedMatrix part : b.parts()) {
        int to = from + part.inner();
        QuantizedMatrix some =
            b.form() == Form.TN ? part(a, from, to, row, end) : part(a, row, end, from, to);
        driver.multiply(some, part, Epilogue.STORE, ofPart.rowRange(0, end - row));
        for (int i = 0; i < (end - row) * cols; i++) {
          sums[i] += ofPart.data()[i];
        }
        from = to;
      }
      RowTasks.forEach(
          parallel, end - row, cols, 1, (i, j) -> finish(a, b, epilogue, c, sums, begin, i, j));
    }
  }

  /** As {@link Epilogue} says, for some rows of a block of sums that begins at {@code first}. */
  private static void finish(
      QuantizedMatrix a,
      PackedMatrix b,
      Epilogue epilogue,
      Result c,
      long[] sums,
      int first,
      int begin,
      int end) {
    float[] bias = epilogue.bias();
    for (int i = begin; i < end; i++) {
      int row = first + i;
      float scale = a.scales()[a.scaling() == Scaling.TENSOR ? 0 : row];
      for (int j = 0; j < b.cols(); j++) {
        float sum = sums[i * b.cols() + j];
        float y = Math.fma(sum, scale * b.scale(j), bias == null ? 0 : bias[j]);
        switch (c) {
          case FloatMatrix m -> m.set(row, j, epilogue.accumulate() ? m.get(row, j) + y : y);
          case Bfloat16Matrix m -> m.set(row, j, epilogue.accumulate() ? m.get(row, j) + y : y);
          case IntMatrix _ -> throw new IllegalArgumentException("an int32 cannot hold the sums");
        }
      }
    }
  }

  /** A copy of some of a matrix, without its scales. */
  private QuantizedMatrix part(QuantizedMatrix q, int row, int endRow, int col, int endCol) {
    QuantizedMatrix part = new QuantizedMatrix(Scaling.TENSOR);
    part.beginFill(endRow - row, endCol - col);
    part.scales()[0] = 1;
    RowTasks.forEach(
        parallel,
        part.rows(),
        part.cols(),
        1,
        (begin, end) -> {
          for (int i = begin; i < end; i++) {
            int to = i * part.rowStride();
            System.arraycopy(
                q.data(), (row + i) * q.rowStride() + col, part.data(), to, part.cols());
            int sum = 0;
            for (int j = 0; j < part.cols(); j++) {
              sum += part.data()[to + j];
            }
            part.rowSums()[i] = sum;
          }
        });
    part.endFill();
    return part;
  }
}
