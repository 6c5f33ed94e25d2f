package dev.switchyard.kernels;

import dev.switchyard.kernels.backend.ElementwiseKernel;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.driver.RowTasks;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.kernels.stack.StackProbe;
import java.util.Arrays;
import java.util.Locale;

/**
 * Work on some rows of a matrix, which are given by their indices: what conditional computation
 * needs beside the products on the chosen rows. Each operation is one pass; results are the same
 * for every number of threads. Thread-safe.
 *
 * <p>Of an array of indices the first count, as many as another argument has rows; they ascend, so
 * that no row is there twice. Every method throws {@link IllegalArgumentException} if they do not,
 * if one is out of range, or if shapes or lengths do not go together, before anything is written.
 */
public final class IndexedRows {
  private final ElementwiseKernel kernel;
  private final Parallel parallel;

  IndexedRows(ElementwiseKernel kernel, Parallel parallel) {
    this.kernel = kernel;
    this.parallel = parallel;
  }

  /**
   * {@code y[j] = x[index[j]]}.
   *
   * @param x [rows, cols]
   * @param index which rows, at least {@code chosen} of them
   * @param y [chosen, cols]; must not overlap x
   */
  public void gather(FloatMatrix x, int[] index, FloatMatrix y) {
    checkCols("y", y, x.cols());
    checkIndex(index, y.rows(), x.rows());
    forEach(
        y.rows(),
        y.cols(),
        1,
        (begin, end) -> {
          for (int j = begin; j < end; j++) {
            copyRow(x, index[j], y, j);
          }
        });
  }

  /**
   * {@code y[index[j]] += x[j]}.
   *
   * @param x [chosen, cols]
   * @param index which rows of y, at least {@code chosen} of them
   * @param y [rows, cols]; must not overlap x
   */
  public void scatterAdd(FloatMatrix x, int[] index, FloatMatrix y) {
    checkCols("y", y, x.cols());
    checkIndex(index, x.rows(), y.rows());
    forEach(
        x.rows(),
        x.cols(),
        1,
        (begin, end) -> {
          for (int j = begin; j < end; j++) {
            int to = y.rowIndex(index[j]);
            kernel.add(x.data(), x.rowIndex(j), y.data(), to, y.data(), to, x.cols());
          }
        });
  }

  /**
   * Passes some rows on from x to b, each as far as its gate says, and adds to all of them:
   *
   * <pre>
   *   y[i] = (1 - m_j) x[i] + m_j b[j] + scale a[i]      i = index[j]
   *   y[i] = x[i] + scale a[i]                           elsewhere
   * </pre>
   *
   * With a gate of 1 the first is exactly b[j] + scale a[i].
   *
   * @param x [rows, cols]
   * @param b [chosen, cols]
   * @param index which rows of x, at least {@code chosen} of them
   * @param gates m, at least {@code chosen} of them; null if all are 1
   * @param a [rows, cols]; null for zeros
   * @param scale of a
   * @param y [rows, cols]; may be x or a
   */
  public void mix(
      FloatMatrix x,
      FloatMatrix b,
      int[] index,
      float[] gates,
      FloatMatrix a,
      float scale,
      FloatMatrix y) {
    checkCols("b", b, x.cols());
    if (a != null) {
      checkShape("a", a, x);
    }
    checkShape("y", y, x);
    checkIndex(index, b.rows(), x.rows());
    checkGates("gates", gates, b.rows());
    forEach(
        x.rows(),
        2L * x.cols(),
        1,
        (begin, end) -> {
          int j = firstFrom(begin, index, b.rows());
          for (int i = begin; i < end; i++) {
            boolean chosen = j < b.rows() && index[j] == i;
            FloatMatrix to = chosen ? b : x;
            kernel.mix(
                x.data(),
                x.rowIndex(i),
                to.data(),
                to.rowIndex(chosen ? j : i),
                gates == null || !chosen ? 1 : gates[j],
                a == null ? x.data() : a.data(),
                a == null ? x.rowIndex(i) : a.rowIndex(i),
                a == null ? 0 : scale,
                y.data(),
                y.rowIndex(i),
                x.cols());
            j += chosen ? 1 : 0;
          }
        });
  }

  /**
   * The gradients behind {@link #mix} but for that of a, which is {@code scale gy}:
   *
   * <pre>
   *   gx[i] = (1 - m_j) gy[i]    gb[j] = m_j gy[i]    gm_j = gy[i] . (b[j] - x[i])    i = index[j]
   *   gx[i] = gy[i]                                                                  elsewhere
   * </pre>
   *
   * @param gy [rows, cols]
   * @param x [rows, cols], as it was given to mix
   * @param b [chosen, cols], as it was given to mix
   * @param index which rows, at least {@code chosen} of them
   * @param gates m, at least {@code chosen} of them; null if all are 1
   * @param gx [rows, cols], receives the gradient of x; must not overlap the others
   * @param gb [chosen, cols], receives the gradient of b; must not overlap the others
   * @param ggates receives the gradients of the gates, at least {@code chosen}; null if unwanted
   */
  public void mixBackward(
      FloatMatrix gy,
      FloatMatrix x,
      FloatMatrix b,
      int[] index,
      float[] gates,
      FloatMatrix gx,
      FloatMatrix gb,
      float[] ggates) {
    checkShape("gy", gy, x);
    checkCols("b", b, x.cols());
    checkShape("gx", gx, x);
    checkCols("gb", gb, x.cols());
    if (gb.rows() != b.rows()) {
      throw new IllegalArgumentException(
          "gb is " + gb.shape() + " but b is " + b.shape() + " (expected equal)");
    }
    checkIndex(index, b.rows(), x.rows());
    checkGates("gates", gates, b.rows());
    checkGates("ggates", ggates, b.rows());
    forEach(
        x.rows(),
        2L * x.cols(),
        1,
        (begin, end) -> {
          int j = firstFrom(begin, index, b.rows());
          for (int i = begin; i < end; i++) {
            if (j == b.rows() || index[j] != i) {
              copyRow(gy, i, gx, i);
              continue;
            }
            float gate =
                kernel.mixBackward(
                    gy.data(),
                    gy.rowIndex(i),
                    x.data(),
                    x.rowIndex(i),
                    b.data(),
                    b.rowIndex(j),
                    gates == null ? 1 : gates[j],
                    gx.data(),
                    gx.rowIndex(i),
                    gb.data(),
                    gb.rowIndex(j),
                    x.cols());
            if (ggates != null) {
              ggates[j] = gate;
            }
            j++;
          }
        });
  }

  private void forEach(int rows, long elementsARow, int grain, RowTasks.Range body) {
    StackProbe.require();
    RowTasks.forEach(parallel, rows, elementsARow, grain, body);
  }

  private static void copyRow(FloatMatrix from, int row, FloatMatrix to, int toRow) {
    if (from.cols() > 0) { // rows of no elements may lie anywhere
      System.arraycopy(from.data(), from.rowIndex(row), to.data(), to.rowIndex(toRow), from.cols());
    }
  }

  /** The place of the first index that is not below a row. */
  private static int firstFrom(int row, int[] index, int count) {
    int at = Arrays.binarySearch(index, 0, count, row);
    return at < 0 ? -at - 1 : at;
  }

  private static void checkIndex(int[] index, int count, int rows) {
    if (index.length < count) {
      throw new IllegalArgumentException(
          "index has " + index.length + " elements (expected at least " + count + ")");
    }
    int before = -1;
    for (int j = 0; j < count; j++) {
      if (index[j] <= before || index[j] >= rows) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "index %d is %d (expected %d to %d: they ascend, and there are %d rows)",
                j,
                index[j],
                before + 1,
                rows - 1,
                rows));
      }
      before = index[j];
    }
  }

  private static void checkGates(String name, float[] gates, int count) {
    if (gates != null && gates.length < count) {
      throw new IllegalArgumentException(
          name + " has " + gates.length + " elements (expected at least " + count + ")");
    }
  }

  private static void checkCols(String name, FloatMatrix matrix, int cols) {
    if (matrix.cols() != cols) {
      throw new IllegalArgumentException(
          name + " is " + matrix.shape() + " but x has " + cols + " columns (expected as many)");
    }
  }

  private static void checkShape(String name, FloatMatrix matrix, FloatMatrix x) {
    if (matrix.rows() != x.rows() || matrix.cols() != x.cols()) {
      throw new IllegalArgumentException(
          name + " is " + matrix.shape() + " but x is " + x.shape() + " (expected equal)");
    }
  }
}
