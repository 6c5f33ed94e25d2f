package dev.switchyard.kernels.driver;

import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Result;
import dev.switchyard.kernels.parallel.Parallel;

/**
 * Packs right operands and cuts products into blocks for threads. Each element of C is summed by
 * one thread in an order that depends on k alone, so the cut cannot change a result.
 */
public final class MatmulDriver {
  /** Multiply-adds below which a second thread costs more than it saves (about 20 us of work). */
  private static final long MIN_WORK_A_TASK = 1L << 20;

  private static final int TASKS_A_THREAD = 4;

  private final String backend;
  private final MatmulKernel kernel;
  private final Parallel parallel;
  private final SplitProduct split;

  public MatmulDriver(Backend backend, Parallel parallel) {
    this.backend = backend.name();
    this.kernel = backend.matmul();
    this.parallel = parallel;
    this.split = new SplitProduct(this, parallel);
  }

  /** Packs b as the right operand of a form. */
  public void pack(ElementType type, Form form, Matrix b, PackedMatrix out) {
    if (type == ElementType.INT8 && isSplit(form.innerOfRight(b))) {
      out.reshape(backend, type, form, b, kernel.panelCols());
      split.pack((QuantizedMatrix) b, out);
      out.endFill();
      return;
    }
    reshape(type, form, b, out);
    if (b.rows() == 0 || b.cols() == 0) {
      out.endFill(); // there may be 2^31 - 1 of the others
      return;
    }
    if (parallel.threads() == 1) { // without a lambda, which would be an allocation a call
      kernel.pack(b, 0, b.rows(), out);
    } else {
      RowTasks.forEach(
          parallel, b.rows(), b.cols(), kernel.panelCols(), (i, j) -> kernel.pack(b, i, j, out));
    }
    out.endFill();
  }

  /**
   * Sets the shape of {@code out} for rows that {@link #packRows} then packs; who has packed them
   * all ends the fill.
   */
  void reshape(ElementType type, Form form, Matrix b, PackedMatrix out) {
    out.reshape(backend, type, form, b, kernel.panelCols());
    kernel.reserve(out);
  }

  void packRows(Matrix b, int begin, int end, PackedMatrix out) {
    if (b.cols() > 0) {
      kernel.pack(b, begin, end, out);
    }
  }

  /** Whether an int8 product with an inner dimension of that length is done in parts. */
  static boolean isSplit(int inner) {
    return inner > SplitProduct.LONGEST;
  }

  /** Rows of a stored operand that can be packed on their own. */
  int packGrain() {
    return kernel.panelCols();
  }

  /** C = epilogue(A op B) for a packed B. */
  public void multiply(Matrix a, PackedMatrix b, Epilogue epilogue, Result c) {
    Scratch scratch = Scratch.take();
    run(scratch.product, a, b, epilogue, c);
    scratch.giveBack();
  }

  /** C = epilogue(A op B), packing B into a buffer that is kept for the next call. */
  public void multiply(
      ElementType type, Form form, Matrix a, Matrix b, Epilogue epilogue, Result c) {
    Scratch scratch = Scratch.take();
    pack(type, form, b, scratch.packed);
    run(scratch.product, a, scratch.packed, epilogue, c);
    scratch.giveBack();
  }

  private void run(Product product, Matrix a, PackedMatrix b, Epilogue epilogue, Result c) {
    if (!b.parts().isEmpty()) {
      split.multiply((QuantizedMatrix) a, b, epilogue, c);
      return;
    }
    product.set(a, b, epilogue, c);
    int rows = product.rows();
    int panels = b.panelCount();
    if (rows == 0 || panels == 0) {
      return;
    }
    long work = (long) rows * product.cols() * Math.max(1, product.inner());
    int tasks = (int) Math.min(work / MIN_WORK_A_TASK, (long) TASKS_A_THREAD * parallel.threads());
    if (parallel.threads() == 1 || tasks < 2) {
      kernel.multiply(product, 0, rows, 0, panels);
    } else {
      runBlocks(product, rows, panels, tasks);
    }
  }

  /**
   * Cuts rows first, since each cut of columns makes the kernel prepare the rows of A once more.
   */
  private void runBlocks(Product product, int rows, int panels, int tasks) {
    int rowBlocks = Math.min(Math.ceilDiv(rows, kernel.tileRows()), tasks);
    int panelBlocks = Math.min(panels, Math.ceilDiv(tasks, rowBlocks));
    Pieces down = Pieces.of(rows, rowBlocks, kernel.tileRows());
    Pieces across = Pieces.of(panels, panelBlocks, 1);
    parallel.forEach(
        down.count() * across.count(),
        block -> {
          int row = block % down.count();
          int panel = block / down.count();
          kernel.multiply(
              product, down.begin(row), down.end(row), across.begin(panel), across.end(panel));
        });
  }
}
