package dev.switchyard.kernels.parallel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * The tasks of one call. The caller waits for the helpers that have begun, not for those that the
 * executor still holds back: these find the call closed and leave. So an executor whose threads are
 * busy, or that is shut down meanwhile, can neither block the caller nor go on writing after its
 * return.
 */
final class Call implements Runnable {
  /** Turns of the waiting loop before the caller sleeps: a helper at its last task is soon done. */
  private static final int SPINS = 2000;

  private final int tasks;
  private final int mostHelpers;
  private final IntConsumer body;
  private final Lobby lobby;
  private final AtomicInteger next = new AtomicInteger();
  private volatile int helpers;
  private Throwable failure;
  private boolean closed;

  Call(int tasks, int mostHelpers, IntConsumer body, Lobby lobby) {
    this.tasks = tasks;
    this.mostHelpers = mostHelpers;
    this.body = body;
    this.lobby = lobby;
  }

  /** What a helper does: this call, then those that come soon after. */
  @Override
  public void run() {
    for (Call call = this; call != null; call = lobby.next(call)) {
      call.help();
    }
  }

  private void help() {
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
    boolean enters = !closed && helpers < mostHelpers;
    helpers += enters ? 1 : 0;
    return enters;
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
