package dev.switchyard.bench.report;

import dev.switchyard.bench.statistics.Interval;
import java.util.List;
import java.util.Optional;

/**
 * What {@code switchyard train} has written to a folder.
 *
 * @param folder its name
 * @param machine what they ran on, in a line
 * @param options that they had in common, in a line
 * @param runs the trainings, in their order
 */
record Trainings(String folder, String machine, String options, List<Run> runs) {
  Trainings {
    runs = List.copyOf(runs);
  }

  /**
   * One training.
   *
   * @param precision its name
   * @param testAccuracy from 0 to 1
   * @param finalLoss not a number where it diverged
   * @param stepMillis time of a step
   * @param imagesPerSecond images trained on in a second
   * @param accuracyOverFirst how much more of the test images it has right than the first training;
   *     empty where that is not known
   * @param speedOverFirst how many times as fast it is; empty likewise
   * @param losses of each step; not a number where there is none
   */
  record Run(
      String precision,
      double testAccuracy,
      double finalLoss,
      double stepMillis,
      double imagesPerSecond,
      Optional<Interval> accuracyOverFirst,
      Optional<Interval> speedOverFirst,
      double[] losses) {}
}
