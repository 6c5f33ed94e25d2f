package dev.switchyard.kernels.driver;

import dev.switchyard.kernels.parallel.Parallel;

/** Splits a range of rows (or of columns) into tasks that are worth a thread's while. */
public final class RowTasks {
  /**
   * Elements below which a second thread costs more than it saves (about 5 us of streaming work).
   */
  private static final int MIN_ELEMENTS_A_TASK = 1 << 14;

  /** Tasks a thread, so that a thread that was held up does not hold up the others. */
  private static final int TASKS_A_THREAD = 4;

  /** What to do with the rows from {@code begin} to {@code end - 1}. */
  public interface Range {
    void run(int begin, int end);
  }

  private RowTasks() {}

  /**
   * Runs {@code body} over ranges that together are 0 to {@code rows - 1}.
   *
   * @param elementsARow work of one row, 0 or more
   * @param grain all ranges but the last begin and end at multiples of it
   */
  public static void forEach(
      Parallel parallel, int rows, long elementsARow, int grain, Range body) {
    long elements = Math.multiplyExact(rows, elementsARow);
    if (rows == 0) {
      return;
    }
    if (parallel.threads() == 1 || elements < 2L * MIN_ELEMENTS_A_TASK) {
      body.run(0, rows);
      return;
    }
    int tasks =
        (int) Math.min(elements / MIN_ELEMENTS_A_TASK, (long) TASKS_A_THREAD * parallel.threads());
    Pieces pieces = Pieces.of(rows, tasks, grain);
    parallel.forEach(pieces.count(), i -> body.run(pieces.begin(i), pieces.end(i)));
  }
}
