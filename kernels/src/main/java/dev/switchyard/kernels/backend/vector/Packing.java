package dev.switchyard.kernels.backend.vector;

import static dev.switchyard.kernels.backend.vector.Species.BYTES;
import static dev.switchyard.kernels.backend.vector.Species.LANES;

import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import java.util.Arrays;

/**
 * Rearranges operands for {@link FloatTile}: both sides k by k, A in groups of {@link
 * FloatTile#ROWS} rows, B in panels of {@link FloatTile#COLS} columns. Whatever the operand's type,
 * a row of it is first widened to floats, so only {@link #widen} knows the types. One object a
 * workspace.
 */
final class Packing {
  /**
   * Columns that are interleaved at a time: the 32 rows of a panel then stay within the L1 and L2.
   */
  private static final int CHUNK = 512;

  private final Transpose transpose = new Transpose();
  private float[] widened = {};
  private float[] source;
  private int sourceIndex;
  private int sourceStride;

  /** Packs rows of B as it is stored; see {@code MatmulKernel.pack}. */
  void packRight(Matrix b, int rowBegin, int rowEnd, PackedMatrix out) {
    if (out.form() == Form.NT) {
      for (int row = rowBegin; row < rowEnd; row += FloatTile.COLS) {
        int rows = Math.min(FloatTile.COLS, rowEnd - row);
        int to = row * out.inner(); // panels before this one hold as many columns as rows packed
        interleave(b, out.type(), row, rows, 0, b.cols(), FloatTile.COLS, out.array(), to);
      }
      return;
    }
    for (int k = rowBegin; k < rowEnd; k++) {
      load(b, out.type(), k, 1, 0, b.cols());
      int step = out.inner() * FloatTile.COLS;
      split(b.cols(), FloatTile.COLS, out.array(), k * FloatTile.COLS, step);
    }
  }

  /** Packs {@code depth} columns from {@code k} on of some rows of op(A), missing rows as zeros. */
  void packLeft(Product p, int row, int rows, int k, int depth, float[] out) {
    if (p.transposesA()) {
      for (int i = 0; i < depth; i++) {
        load(p.a(), p.b().type(), k + i, 1, row, rows);
        split(rows, FloatTile.ROWS, out, i * FloatTile.ROWS, depth * FloatTile.ROWS);
      }
      return;
    }
    for (int i = 0; i < rows; i += FloatTile.ROWS) {
      int count = Math.min(FloatTile.ROWS, rows - i);
      interleave(p.a(), p.b().type(), row + i, count, k, depth, FloatTile.ROWS, out, i * depth);
    }
  }

  /**
   * Cuts the loaded row into pieces of {@code width}, {@code step} apart, the last filled with
   * zeros.
   */
  private void split(int cols, int width, float[] out, int to, int step) {
    for (int j = 0; j < cols; j += width) {
      int count = Math.min(width, cols - j);
      System.arraycopy(source, sourceIndex + j, out, to, count);
      Arrays.fill(out, to + count, to + width, 0);
      to += step;
    }
  }

  /** {@code out[to + k * width + r] = m[row + r][col + k]}, missing rows as zeros. */
  private void interleave(
      Matrix m,
      ElementType type,
      int row,
      int rows,
      int col,
      int depth,
      int width,
      float[] out,
      int to) {
    // From the last group of rows to the first: each spills into the first group of the next k.
    int last = (width - 1) / LANES * LANES;
    for (int k = 0; k < depth; k += CHUNK) {
      int n = Math.min(CHUNK, depth - k);
      for (int r = last; r >= 0; r -= LANES) {
        int count = Math.clamp(rows - r, 0, LANES);
        int at = to + k * width + r;
        int whole = n / LANES * LANES;
        if (BYTES && m instanceof QuantizedMatrix q && type == ElementType.INT8) {
          int from = q.offset() + (row + r) * q.rowStride() + col + k;
          for (int i = 0; i < whole; i += LANES) {
            transpose.block(q.data(), from + i, q.rowStride(), count, out, at + i * width, width);
          }
        } else {
          load(m, type, row + r, count, col + k, whole);
          for (int i = 0; i < whole; i += LANES) {
            int from = sourceIndex + i;
            transpose.block(source, from, sourceStride, count, out, at + i * width, width);
          }
        }
        load(m, type, row + r, count, col + k + whole, n - whole);
        for (int i = whole; i < n; i++) {
          int from = sourceIndex + i - whole;
          for (int j = 0; j < Math.min(LANES, width - r); j++) {
            out[at + i * width + j] = j < count ? source[from + j * sourceStride] : 0;
          }
        }
      }
    }
  }

  /** Points {@link #source} at a part of some rows, as the product's type sees it. */
  private void load(Matrix m, ElementType type, int row, int rows, int col, int n) {
    if (m instanceof FloatMatrix f && type == ElementType.FLOAT32) {
      source = f.data();
      sourceIndex = f.rowIndex(row) + col;
      sourceStride = f.rowStride();
      return;
    }
    if (widened.length < rows * n) {
      widened = new float[rows * n];
    }
    source = widened;
    sourceIndex = 0;
    sourceStride = n;
    for (int i = 0; i < rows; i++) {
      widen(m, type, row + i, col, n, i * n);
    }
  }

  private void widen(Matrix m, ElementType type, int row, int col, int n, int to) {
    int index = m.offset() + row * m.rowStride() + col;
    switch (m) {
      case FloatMatrix f -> Conversions.roundToBfloat16(f.data(), index, widened, to, n);
      case Bfloat16Matrix h -> Conversions.widen(h.data(), index, widened, to, n);
      case QuantizedMatrix q -> {
        Conversions.widen(q.data(), index, widened, to, n);
        if (type != ElementType.INT8) {
          dequantize(q, type, row, col, n, to);
        }
      }
    }
  }

  private void dequantize(QuantizedMatrix q, ElementType type, int row, int col, int n, int to) {
    for (int j = 0; j < n; j++) {
      float value = widened[to + j] * q.scale(row, col + j);
      widened[to + j] = type == ElementType.BFLOAT16 ? Bfloat16.round(value) : value;
    }
  }
}
