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
 * a batch with each other, as {@link dev.switchyard.layers.ContrastiveLoss} does. Every process
 * then computes the same loss of the whole batch:
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
   * @throws IllegalArgumentException if another process has rows of another length
   */
  public Tensor forward(Tape tape, Tensor x) {
    if (collective.size() == 1) {
      return x;
    }
    List<byte[]> parts = collective.gather(bytes(x.value()));
    long total = 0;
    int before = 0; // rows of those before this process
    for (int rank = 0; rank < parts.size(); rank++) {
      long floats = parts.get(rank).length / Float.BYTES;
      if (floats % x.cols() != 0) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "process %d has %d values but rows here have %d (expected whole rows)",
                rank,
                floats,
                x.cols()));
      }
      before += rank < collective.rank() ? (int) (floats / x.cols()) : 0;
      total += floats / x.cols();
    }
    FloatMatrix y = tape.result(Math.toIntExact(total), x.cols());
    int at = 0;
    for (byte[] part : parts) {
      int floats = part.length / Float.BYTES;
      MemorySegment.copy(
          MemorySegment.ofArray(part), ValueLayout.JAVA_FLOAT_UNALIGNED, 0, y.data(), at, floats);
      at += floats;
    }
    int first = before;
    return tape.record(y, List.of(x), List.of(), List.of(), gy -> backward(tape, x, first, gy));
  }

  // gy [all rows, cols] -> gx [rows, cols]
  private void backward(Tape tape, Tensor x, int first, FloatMatrix gy) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    gy.rowRange(first, first + x.rows()).copyTo(gx);
    tape.kernels().elementwise().scale(gx.data(), x.rows() * x.cols(), collective.size());
    tape.addGrad(x, gx);
  }

  private static byte[] bytes(FloatMatrix x) {
    byte[] bytes = new byte[Float.BYTES * x.rows() * x.cols()];
    MemorySegment to = MemorySegment.ofArray(bytes);
    for (int row = 0; row < x.rows(); row++) {
      MemorySegment.copy(
          x.data(),
          x.rowIndex(row),
          to,
          ValueLayout.JAVA_FLOAT_UNALIGNED,
          (long) Float.BYTES * row * x.cols(),
          x.cols());
    }
    return bytes;
  }
}
