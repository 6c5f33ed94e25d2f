package dev.switchyard.mpi;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Locale;

/**
 * The rows of all processes, one process after the other, for a loss that compares the examples of
 * a batch with each other, as {@link dev.switchyard.layers.loss.ContrastiveLoss} does. Every
 * process then computes the same loss of the whole batch:
 *
 * <pre>
 *   y = rows x of process 0, rows x of process 1, ...       gx = size * (own rows of gy)
 * </pre>
 *
 * The factor makes the mean over processes, which {@link DataParallel} takes, the sum that it has
 * to be.
 *
 * <p>The others wait here for the rows of a process: one that fails before it has come here cannot
 * abandon the step, but has to end all processes, as {@link Mpi#run} does.
 */
public final class GatheredRows {
  private static final ValueLayout.OfInt COLS = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfFloat FLOATS = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final Collective collective;

  /**
   * Rows of all processes.
   *
   * @param collective the processes
   */
  public GatheredRows(Collective collective) {
    this.collective = collective;
  }

  // x [rows, cols] -> y [all rows, cols]
  /**
   * Collects rows, and records how to go back.
   *
   * @param tape records
   * @param x this process's rows, of any number
   * @return those of all
   * @throws IllegalArgumentException if another process has rows of another length, or the rows of
   *     this one take more than 2 GiB
   */
  public Tensor forward(Tape tape, Tensor x) {
    if (collective.size() == 1) {
      return x;
    }
    List<byte[]> parts = collective.gather(bytes(x.value()));
    long total = 0;
    int before = 0; // rows of those before this process
    for (int rank = 0; rank < parts.size(); rank++) {
      int cols = MemorySegment.ofArray(parts.get(rank)).get(COLS, 0);
      if (cols != x.cols()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "process %d has rows of %d values but those here have %d (expected the same)",
                rank,
                cols,
                x.cols()));
      }
      int rows = floats(parts.get(rank)) / cols;
      before += rank < collective.rank() ? rows : 0;
      total += rows;
    }
    FloatMatrix y = tape.result(Math.toIntExact(total), x.cols());
    int at = 0;
    for (byte[] part : parts) {
      MemorySegment.copy(
          MemorySegment.ofArray(part), FLOATS, COLS.byteSize(), y.data(), at, floats(part));
      at += floats(part);
    }
    int first = before;
    return tape.node(y).from(x).backward((gy, kept) -> backward(tape, x, first, gy));
  }

  // gy [all rows, cols] -> gx [rows, cols]
  private void backward(Tape tape, Tensor x, int first, FloatMatrix gy) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    gy.rowRange(first, first + x.rows()).copyTo(gx);
    tape.kernels().elementwise().scale(gx.data(), x.rows() * x.cols(), collective.size());
    tape.addGrad(x, gx);
  }

  private static int floats(byte[] part) {
    return (part.length - (int) COLS.byteSize()) / Float.BYTES;
  }

  /** The bytes of so many rows, which an array has to hold. */
  static int length(long rows, int cols) {
    long most = (Integer.MAX_VALUE - 8 - COLS.byteSize()) / Float.BYTES;
    if (rows * cols > most) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d rows of %d values are more than a process can send at once (expected %d values at"
                  + " most)",
              rows,
              cols,
              most));
    }
    return (int) (COLS.byteSize() + Float.BYTES * rows * cols);
  }

  /** How many columns there are, and the rows. */
  private static byte[] bytes(FloatMatrix x) {
    byte[] bytes = new byte[length(x.rows(), x.cols())];
    MemorySegment to = MemorySegment.ofArray(bytes);
    to.set(COLS, 0, x.cols());
    for (int row = 0; row < x.rows(); row++) {
      MemorySegment.copy(
          x.data(),
          x.rowIndex(row),
          to,
          FLOATS,
          COLS.byteSize() + (long) Float.BYTES * row * x.cols(),
          x.cols());
    }
    return bytes;
  }
}
