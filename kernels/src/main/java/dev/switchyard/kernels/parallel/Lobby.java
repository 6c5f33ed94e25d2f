package dev.switchyard.kernels.parallel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Where the helpers of one call wait a moment for the next: to wake a thread that sleeps takes as
 * long as many a call. Whom a call is shown to does not matter, as its caller does what no helper
 * does.
 */
final class Lobby {
  /** Longer than what lies between most calls of a training step, and soon over. */
  private static final long MOMENT_NANOS = 50_000;

  private final long nanos;
  private final AtomicReference<Call> shown = new AtomicReference<>();
  private final AtomicInteger waiting = new AtomicInteger();

  /**
   * For calls of so many threads: if they outnumber the processors, waiting would take one away.
   */
  Lobby(int threads) {
    this.nanos = threads <= Runtime.getRuntime().availableProcessors() ? MOMENT_NANOS : 0;
  }

  /** Shows a call to those who wait; how many these are. */
  int show(Call call) {
    shown.set(call);
    return waiting.get();
  }

  /** Ends that. */
  void hide(Call call) {
    shown.compareAndSet(call, null);
  }

  /** The next call after one, or null if none came. */
  Call next(Call last) {
    waiting.incrementAndGet();
    long start = System.nanoTime();
    Call call = shown.get();
    while ((call == null || call == last) && System.nanoTime() - start < nanos) {
      Thread.onSpinWait();
      call = shown.get();
    }
    waiting.decrementAndGet();
    call = shown.get(); // again, as whoever showed one meanwhile has counted on this helper
    return call == last ? null : call;
  }
}
