package dev.switchyard.layers;

import dev.switchyard.kernels.EndlessExecutor;

/** An executor that runs tasks at once, but for one, at which the machine is out of threads. */
public final class OutOfThreads extends EndlessExecutor {
  private int left;

  /** Fails at the given task from now on, counted from 1; at none if it is 0. */
  public void failAt(int task) {
    left = task;
  }

  @Override
  public void execute(Runnable task) {
    if (left > 0 && --left == 0) {
      throw new OutOfMemoryError("unable to create native thread");
    }
    task.run();
  }
}
