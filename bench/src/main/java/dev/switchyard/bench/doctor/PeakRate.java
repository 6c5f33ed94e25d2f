package dev.switchyard.bench.doctor;

import dev.switchyard.kernels.data.PeakLoop;

/** How fast one thread multiplies if it does nothing else: the measure of products. */
public final class PeakRate {
  private static final long NANOS = 100_000_000;

  private PeakRate() {}

  /** Operations in a nanosecond, a multiply-add counted as two: the best of some hundred runs. */
  public static double measure(PeakLoop loop) {
    long best = Long.MAX_VALUE;
    long begin = System.nanoTime();
    for (long now = begin; now - begin < NANOS; now = System.nanoTime()) {
      loop.run().run();
      best = Math.min(best, System.nanoTime() - now);
    }
    return (double) loop.operations() / Math.max(best, 1);
  }
}
