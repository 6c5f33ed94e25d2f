package dev.switchyard.kernels.parallel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * The tasks of one call. The caller waits for the helpers that have begun, not for those that are
 * still held back: these find the call closed and leave. So an executor whose threads are busy, or
 * that is shut down meanwhile, can neither block the caller nor go on writing after its return.
 *
 * <p>Nothing here takes a lock or allocates: whatever is thrown at a thread, no other waits for it.
 */
final class Call {
  /** Turns of the waiting loop before the caller sleeps: a helper at its last task is soon done. */
  private static final int SPINS = 2000;

  /** The caller looks again so often, should the helper that wakes it fail to. */
  private static final long LOOK_NANOS = 1_000_000;

  /** Added to the helpers inside when no more may enter. */
  private static final int CLOSED = Integer.MIN_VALUE;

  private final int tasks;
  private final int mostHelpers;
  private final IntConsumer body;
  private final Thread caller = Thread.currentThread();

  /** A long: each thread counts once beyond the last task, which may be 2^31 - 1. */
  private final AtomicLong next = new AtomicLong();

  private final AtomicInteger helpers = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  Call(int tasks, int mostHelpers, IntConsumer body) {
    this.tasks = tasks;
    this.mostHelpers = mostHelpers;
    this.body = body;
  }

  /**
   * What a helper does.
   *
   * @param done runs before the caller can return, which may have the next call for this helper
   */
  void help(Runnable done) {
    boolean inside = enter();
    try {
      if (inside) {
        work();
      }
    } catch (Throwable t) {
      fail(t);
    } finally {
      try {
        done.run();
      } finally { // else the caller would wait for ever
        if (inside && helpers.decrementAndGet() == CLOSED) {
          LockSupport.unpark(caller);
        }
      }
    }
  }

  private boolean enter() {
    int inside = helpers.get();
    while (inside >= 0 && inside < mostHelpers) {
      if (helpers.compareAndSet(inside, inside + 1)) {
        return true;
      }
      inside = helpers.get();
    }
    return false;
  }

  /** Runs tasks until none is left. */
  void work() {
    for (long i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
      body.accept((int) i);
    }
  }

  /** No more tasks are begun. */
  void fail(Throwable t) {
    failure.compareAndSet(null, t);
    next.set(tasks);
  }

  /** Lets no more helpers in and waits for those inside. */
  void close() {
    helpers.getAndAdd(CLOSED);
    for (int i = 0; i < SPINS && helpers.get() != CLOSED; i++) {
      Thread.onSpinWait();
    }
    boolean interrupted = false;
    while (helpers.get() != CLOSED) {
      interrupted |= Thread.interrupted(); // buffers are still in use: wait on, tell it afterwards
      rest();
    }
    if (interrupted) {
      caller.interrupt();
    }
  }

  /** A virtual thread cannot leave its carrier where the stack is nearly full: it looks again. */
  private void rest() {
    try {
      LockSupport.parkNanos(this, LOOK_NANOS);
    } catch (StackOverflowError | OutOfMemoryError e) {
      Thread.onSpinWait();
    }
  }

  /** Without a switch over types, whose first use allocates: on a full heap it fails for good. */
  void rethrow() {
    Throwable first = failure.get();
    if (first instanceof RuntimeException e) {
      throw e;
    }
    if (first instanceof Error e) {
      throw e;
    }
    if (first != null) {
      throw new IllegalStateException("a parallel task failed", first);
    }
  }
}
