package dev.switchyard.layers.io;

/**
 * How far a run has come.
 *
 * @param step the updates done
 * @param seed of all that is random in the run
 * @param epoch the passes over the data that are done
 * @param nextBatch the first batch of this pass that is not done
 */
public record Progress(long step, long seed, long epoch, long nextBatch) {
  /**
   * Checks the counts.
   *
   * @throws IllegalArgumentException if one is negative
   */
  public Progress {
    if (step < 0 || epoch < 0 || nextBatch < 0) {
      throw new IllegalArgumentException(
          "step "
              + step
              + ", epoch "
              + epoch
              + ", next batch "
              + nextBatch
              + " (expected 0 or more of each)");
    }
  }
}
