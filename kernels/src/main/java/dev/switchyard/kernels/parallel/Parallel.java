package dev.switchyard.kernels.parallel;

import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * Runs numbered tasks on the calling thread and on threads of an executor. Which thread runs a task
 * is not determined; no result in Switchyard depends on it. Immutable and thread-safe.
 */
public final class Parallel {
  private static final Parallel SERIAL = new Parallel(null, 1);

  private final ExecutorService executor;
  private final int threads;

  private Parallel(ExecutorService executor, int threads) {
    this.executor = executor;
    this.threads = threads;
  }

  /**
   * The calling thread alone: no pool is touched.
   *
   * @return the runner of one thread
   */
  public static Parallel serial() {
    return SERIAL;
  }

  /**
   * The calling thread and {@code threads - 1} threads of the common pool.
   *
   * @param threads how many in all, 1 or more
   * @return the runner
   * @throws IllegalArgumentException if {@code threads} is less than 1
   */
  public static Parallel ofThreads(int threads) {
    return threads == 1 ? SERIAL : over(ForkJoinPool.commonPool(), threads);
  }

  /**
   * The calling thread and {@code threads - 1} threads of an executor, which the caller owns and
   * closes. If it has fewer threads, or they are busy, or it refuses tasks or was closed, the
   * others do all the work.
   *
   * @param executor whose threads to use
   * @param threads how many in all, 1 or more
   * @return the runner
   * @throws IllegalArgumentException if {@code threads} is less than 1
   */
  public static Parallel over(ExecutorService executor, int threads) {
    Objects.requireNonNull(executor, "executor");
    if (threads < 1) {
      throw new IllegalArgumentException("threads is " + threads + " (expected 1 or more)");
    }
    return new Parallel(executor, threads);
  }

  /**
   * The number of threads that work at a time.
   *
   * @return how many, the caller's included
   */
  public int threads() {
    return threads;
  }

  /**
   * Runs {@code body} once for each of 0 to {@code tasks - 1} and returns when all have ended.
   *
   * @param tasks how many
   * @param body what to do; called by several threads at a time
   * @throws RuntimeException the first that a task or, but for a refusal, the executor threw, if
   *     any; tasks not yet begun are then left out, and those that were have ended
   */
  public void forEach(int tasks, IntConsumer body) {
    int helpers = Math.min(threads, tasks) - 1;
    if (helpers <= 0) {
      for (int i = 0; i < tasks; i++) {
        body.accept(i);
      }
      return;
    }
    Run run = new Run(tasks, body);
    try {
      for (int i = 0; i < helpers && !executor.isShutdown(); i++) {
        executor.execute(run);
      }
    } catch (RejectedExecutionException e) {
      // Full, or closed since the check: those that have begun do the rest.
    } catch (RuntimeException | Error e) {
      run.fail(e); // such as no memory for a thread: still waits for those that have begun
    }
    try {
      run.work();
    } finally {
      run.close();
    }
    run.rethrow();
  }

  /**
   * The tasks of one call. The caller waits for the helpers that have begun, not for those that the
   * executor still holds back: these find the run closed and leave. So an executor whose threads
   * are busy, or that is shut down meanwhile, can neither block the caller nor go on writing after
   * its return.
   */
  private static final class Run implements Runnable {
    /**
     * Turns of the waiting loop before the caller sleeps: a helper at its last task is soon done.
     */
    private static final int SPINS = 2000;

    private final int tasks;
    private final IntConsumer body;
    private final AtomicInteger next = new AtomicInteger();
    private volatile int helpers;
    private Throwable failure;
    private boolean closed;

    Run(int tasks, IntConsumer body) {
      this.tasks = tasks;
      this.body = body;
    }

    /** What a helper does. */
    @Override
    public void run() {
      if (enter()) {
        try {
          work();
        } finally {
          leave();
        }
      }
    }

    void work() {
      try {
        for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
          body.accept(i);
        }
      } catch (Throwable t) {
        fail(t);
      }
    }

    /** No more tasks are begun. Allocates nothing, as where the heap is full it must not fail. */
    synchronized void fail(Throwable t) {
      failure = failure == null ? t : failure;
      next.set(tasks);
    }

    private synchronized boolean enter() {
      if (!closed) {
        helpers++;
      }
      return !closed;
    }

    private synchronized void leave() {
      helpers--;
      notifyAll();
    }

    /** Lets no more helpers in and waits for those inside. */
    void close() {
      synchronized (this) {
        closed = true;
      }
      for (int i = 0; i < SPINS && helpers > 0; i++) {
        Thread.onSpinWait();
      }
      boolean interrupted = false;
      synchronized (this) {
        while (helpers > 0) {
          try {
            wait();
          } catch (InterruptedException e) {
            interrupted = true; // buffers are still in use: wait on, and tell the caller afterwards
          }
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    /** Without a switch over types, whose first use allocates: on a full heap it fails for good. */
    void rethrow() {
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
      if (failure != null) {
        throw new IllegalStateException("a parallel task failed", failure);
      }
    }
  }
}
