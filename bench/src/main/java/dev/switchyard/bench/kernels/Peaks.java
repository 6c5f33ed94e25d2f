package dev.switchyard.bench.kernels;

import dev.switchyard.kernels.data.ElementType;
import java.util.Optional;

/**
 * The rate that products are compared with: the measured peak of the instruction, or, as long as no
 * {@link PeakProbe} is there to measure it, the best rate seen in the run.
 */
final class Peaks {
  private static final Optional<PeakProbe> PROBE = Optional.empty();

  private Peaks() {}

  /** The peak for a run in which the fastest reached {@code bestSeen} Gop/s. */
  static Peak of(ElementType type, int threads, double bestSeen) {
    return PROBE
        .map(probe -> new Peak(probe.gops(type, threads), true))
        .orElseGet(() -> new Peak(bestSeen, false));
  }

  /**
   * A rate to compare with.
   *
   * @param peakMeasured whether it is the peak of the instruction
   */
  record Peak(double gops, boolean peakMeasured) {
    String inWords() {
      return peakMeasured ? "peak" : "best";
    }
  }
}
