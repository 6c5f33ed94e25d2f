package dev.switchyard.layers.training;

/**
 * What a run has come to.
 *
 * @param end why it has ended
 * @param done the steps made, those before it was resumed included
 * @param best the least value of all evaluations; infinite if there was none that is a number
 * @param bestDone the steps that were made when it was measured
 */
public record TrainingResult(End end, int done, double best, int bestDone) {
  /** Why a run has ended. */
  public enum End {
    /** All steps are made. */
    FINISHED,
    /** It has not become better for long, see {@link Trainer#stopAfter}. */
    NO_BETTER,
    /** Someone has asked for it, see {@link Trainer#stop}. */
    STOPPED
  }
}
