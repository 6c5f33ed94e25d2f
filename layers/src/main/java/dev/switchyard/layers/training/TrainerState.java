package dev.switchyard.layers.training;

import java.util.Map;

/**
 * Where a training is between two steps.
 *
 * @param done the steps made
 * @param evaluated how many they were at the latest evaluation
 * @param saved how many they were at the latest checkpoint
 * @param best the least value of all evaluations
 * @param bestDone the steps that were made when it was measured
 * @param worse the evaluations since
 */
record TrainerState(int done, int evaluated, int saved, double best, int bestDone, int worse) {
  static final TrainerState NEW = new TrainerState(0, 0, 0, Double.POSITIVE_INFINITY, 0, 0);

  private static final String EVALUATED = "trainer.evaluated";
  private static final String BEST = "trainer.best";
  private static final String BEST_DONE = "trainer.bestDone";
  private static final String WORSE = "trainer.worse";

  TrainerState afterStep() {
    return new TrainerState(done + 1, evaluated, saved, best, bestDone, worse);
  }

  TrainerState afterEvaluation(double value) {
    return value < best
        ? new TrainerState(done, done, saved, value, done, 0)
        : new TrainerState(done, done, saved, best, bestDone, worse + 1);
  }

  TrainerState afterSaving() {
    return new TrainerState(done, evaluated, done, best, bestDone, worse);
  }

  /** What a checkpoint keeps of it beside the number of steps. */
  Map<String, String> toOptions() {
    return Map.of(
        EVALUATED, Integer.toString(evaluated),
        BEST, Double.toString(best),
        BEST_DONE, Integer.toString(bestDone),
        WORSE, Integer.toString(worse));
  }

  static TrainerState of(int done, Map<String, String> options) {
    try {
      return new TrainerState(
          done,
          Integer.parseInt(options.getOrDefault(EVALUATED, "")),
          done,
          Double.parseDouble(options.getOrDefault(BEST, "")),
          Integer.parseInt(options.getOrDefault(BEST_DONE, "")),
          Integer.parseInt(options.getOrDefault(WORSE, "")));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "the checkpoint has options " + options + " (expected those that a Trainer saves)", e);
    }
  }
}
