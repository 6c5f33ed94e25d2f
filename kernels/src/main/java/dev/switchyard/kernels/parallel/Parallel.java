package dev.switchyard.kernels.parallel;

import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntConsumer;

/**
 * Runs numbered tasks on the calling thread and on threads of an executor. Which thread runs a task
 * is not determined; no result in Switchyard depends on it. An executor's thread that has helped
 * stays for 50 microseconds, for the next call, unless threads outnumber processors. Thread-safe.
 */
public final class Parallel {
  private static final Parallel SERIAL = new Parallel(null, 1);

  /** Made when first needed: where one thread does all the work there is no pool. */
  private static final class Pool {
    /**
     * Not the common pool, whose threads forget their buffers whenever they run out of tasks
     * (thread locals are cleared there), so that every call they help with begins by making some.
     */
    static final ForkJoinPool POOL =
        new ForkJoinPool(
            Math.max(1, Runtime.getRuntime().availableProcessors() - 1), Pool::named, null, false);

    private static ForkJoinWorkerThread named(ForkJoinPool pool) {
      ForkJoinWorkerThread thread = ForkJoinPool.defaultForkJoinWorkerThreadFactory.newThread(pool);
      thread.setName("switchyard-" + thread.getPoolIndex());
      return thread;
    }
  }

  private final ExecutorService executor;
  private final int threads;
  private final Lobby lobby;

  private Parallel(ExecutorService executor, int threads) {
    this.executor = executor;
    this.threads = threads;
    this.lobby = new Lobby(threads);
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
   * The calling thread and {@code threads - 1} threads of a pool that all share who call this: it
   * has as many as the machine has processors besides the caller's, daemons that end when idle.
   *
   * @param threads how many in all, 1 or more
   * @return the runner
   * @throws IllegalArgumentException if {@code threads} is less than 1
   */
  public static Parallel ofThreads(int threads) {
    return threads == 1 ? SERIAL : over(Pool.POOL, threads);
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
    Call call = new Call(tasks, helpers, body, lobby);
    try {
      for (int i = lobby.show(call); i < helpers && !executor.isShutdown(); i++) {
        executor.execute(call);
      }
    } catch (RejectedExecutionException e) {
      // Full, or closed since the check: those that have begun do the rest.
    } catch (RuntimeException | Error e) {
      call.fail(e); // such as no memory for a thread: still waits for those that have begun
    }
    try {
      call.work();
    } finally {
      lobby.hide(call);
      call.close();
    }
    call.rethrow();
  }
}
