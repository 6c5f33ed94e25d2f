package dev.switchyard.kernels.parallel;

import dev.switchyard.kernels.stack.StackProbe;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.function.IntConsumer;

/**
 * Runs numbered tasks on the calling thread and on threads of an executor. Which thread runs a task
 * is not determined; no result in Switchyard depends on it. An executor's thread that has helped
 * stays for 50 microseconds, for the next call, unless threads outnumber processors. Thread-safe.
 *
 * <p>A {@link StackOverflowError} or {@link OutOfMemoryError}, wherever it comes, is thrown to the
 * caller when no helper is inside a task any more, and leaves the runner as it was.
 */
public final class Parallel {
  /** Made when first needed: where one thread does all the work there is none. */
  private static final class Own {
    static final Helpers HELPERS =
        Helpers.own(Math.max(1, Runtime.getRuntime().availableProcessors() - 1));
  }

  private final Helpers helpers;
  private final int threads;

  private Parallel(Helpers helpers, int threads) {
    this.helpers = helpers;
    this.threads = threads;
  }

  /**
   * The calling thread alone: no pool is touched.
   *
   * @return the runner of one thread
   */
  public static Parallel serial() {
    return new Parallel(null, 1);
  }

  /**
   * The calling thread and {@code threads - 1} threads of a pool that all share who call this: it
   * has as many as the machine has processors besides the caller's, daemons that end when idle for
   * two seconds.
   *
   * @param threads how many in all, 1 or more
   * @return the runner
   * @throws IllegalArgumentException if {@code threads} is less than 1
   */
  public static Parallel ofThreads(int threads) {
    checkThreads(threads);
    StackProbe.requireForOthers();
    return threads == 1 ? serial() : new Parallel(Own.HELPERS, threads);
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
    checkThreads(threads);
    StackProbe.requireForOthers();
    return new Parallel(Helpers.lent(executor, threads - 1), threads);
  }

  private static void checkThreads(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads is " + threads + " (expected 1 or more)");
    }
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
    int wanted = Math.min(threads, tasks) - 1;
    // What follows the tasks must not fail while a helper is inside: without room, none is asked.
    if (wanted <= 0 || !StackProbe.hasRoom()) {
      for (int i = 0; i < tasks; i++) {
        body.accept(i);
      }
      return;
    }
    Call call = new Call(tasks, wanted, body);
    try {
      helpers.summon(call, wanted);
      call.work();
    } catch (Throwable t) {
      call.fail(t);
    } finally {
      call.close();
    }
    call.rethrow();
  }
}
