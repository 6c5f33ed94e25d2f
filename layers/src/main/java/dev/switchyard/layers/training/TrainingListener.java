package dev.switchyard.layers.training;

/**
 * Is told how a training goes, between its parts and on its thread. What it throws ends the run.
 */
public interface TrainingListener {
  /**
   * A step that was made.
   *
   * @param done the steps made, this one included
   * @param loss the mean of its batches' losses, before the update
   * @param norm that of the gradient, before it was clipped; NaN where nothing clips
   * @param rate the learning rate
   */
  record Step(int done, double loss, double norm, float rate) {}

  /**
   * An evaluation that was made.
   *
   * @param done the steps made before it
   * @param value what was measured: the less the better
   * @param isBest whether it is less than all before: time to keep the weights
   */
  record Evaluation(int done, double value, boolean isBest) {}

  /**
   * After each step.
   *
   * @param step what it was like
   */
  default void stepped(Step step) {}

  /**
   * After each evaluation.
   *
   * @param evaluation what it said
   */
  default void evaluated(Evaluation evaluation) {}
}
