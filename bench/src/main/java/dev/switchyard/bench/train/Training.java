package dev.switchyard.bench.train;

import dev.switchyard.bench.processes.SharedSteps;
import java.util.List;
import java.util.Map;

/** A training under way, by whatever library: what {@link Trainer} asks of it. */
interface Training {
  /** What results call it. */
  String name();

  /** The losses of the steps that an earlier run made; to be added to. */
  List<Double> losses();

  /**
   * Makes a step.
   *
   * @param epoch the pass over the examples, from 0
   * @param order the examples in the order of this pass
   * @param from where in the order the batch begins
   * @param rate the learning rate
   * @return the loss before the step
   */
  double step(int epoch, int[] order, int from, float rate);

  /** Begins to measure times by part; what was measured before does not count. */
  void startTiming();

  /**
   * The time of a step by part, in milliseconds.
   *
   * @param nanos of all steps since timing was started
   * @param steps how many these are
   */
  Map<String, Double> partsMillis(long nanos, int steps);

  /** Whether it is to be saved after that many steps. */
  boolean isSaveDue(int step, int stepsAnEpoch);

  /** Whether it can be saved and left now. */
  boolean canSave();

  /** Saves what it takes to go on, if the training can. */
  void save(int stepsAnEpoch);

  /** Saves the outcome, if the training can. */
  void finish(TrainingResult result);

  /** What sharing it among processes costs, see {@link SharedSteps#costs}. */
  Map<String, Object> exchangeCosts();

  /** Which test examples it gets wrong. */
  List<Integer> mistakes();

  /** Makes no further step; when it has ended, not after a failure. */
  default void close() {}
}
