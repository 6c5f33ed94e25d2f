package dev.switchyard.bench.soak;

import java.util.concurrent.locks.LockSupport;

/** Does something at a moment that the thread it disturbs does not choose. */
final class Disturber {
  private final Thread thread;

  /**
   * Begins to wait.
   *
   * @param nanos how long at least
   * @param action what to do then
   */
  Disturber(long nanos, Runnable action) {
    thread =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  LockSupport.parkNanos(nanos);
                  action.run();
                });
  }

  /** Returns when it is done. An interrupt does not disturb this, and is kept. */
  void await() {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
