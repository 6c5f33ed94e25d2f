package dev.switchyard.kernels.driver;

import dev.switchyard.kernels.parallel.Parallel;

/**
 * The sum of what a kernel returns for runs of a long array, each run and all together a double:
 * cut at the same places and added in the same order, whatever the number of threads.
 */
public final class RunSum {
  /** Elements a run: their floats fit L1, their sum a float. */
  private static final int RUN = 4096;

  /** What is summed. */
  public interface Term {
    double of(int from, int n);
  }

  private RunSum() {}

  /** The sum over the runs of {@code n} elements. */
  public static double of(Parallel parallel, int n, Term term) {
    int runs = (int) (((long) n + RUN - 1) / RUN);
    Scratch scratch = Scratch.take();
    double[] sums = scratch.partialSums(runs);
    RowTasks.forEach(
        parallel,
        runs,
        RUN,
        1,
        (begin, end) -> {
          for (int i = begin; i < end; i++) {
            sums[i] = term.of(i * RUN, Math.min(RUN, n - i * RUN));
          }
        });
    double sum = 0;
    for (int i = 0; i < runs; i++) {
      sum += sums[i];
    }
    scratch.giveBack();
    return sum;
  }
}
