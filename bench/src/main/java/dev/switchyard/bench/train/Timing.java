package dev.switchyard.bench.train;

import dev.switchyard.bench.command.ProgressDisplay;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Measures steps of trainings that have ended, in turns. What compiles code, slows the machine down
 * or empties caches then meets all of them alike; were each timed while it trains, the first would
 * pay for what all of them share, and most after {@code --resume}.
 */
final class Timing {
  private static final int WARM_UP = 2;
  private static final int ROUNDS = 8;

  /** For those who read the results. */
  static final String METHOD =
      String.format(
          Locale.ROOT,
          "When all trainings have ended, each goes on for some steps in turns with the others: %d"
              + " rounds to warm up, then %d that count, every other one in reverse order."
              + " stepMillis is the median of the rounds, speed the geometric mean of their ratios"
              + " with its 95 %% confidence interval.",
          WARM_UP,
          ROUNDS);

  private static final double NANOS_A_MILLI = 1e6;

  private final List<Training> trainings;
  private final int steps;
  private final Step step;
  private final LongSupplier nanoTime;

  /** A further step of a training. */
  interface Step {
    void of(Training training, int step);
  }

  /**
   * A measurement.
   *
   * @param steps of a turn
   * @param step makes one
   */
  Timing(List<Training> trainings, int steps, Step step) {
    this(trainings, steps, step, System::nanoTime);
  }

  Timing(List<Training> trainings, int steps, Step step, LongSupplier nanoTime) {
    this.trainings = trainings;
    this.steps = steps;
    this.step = step;
    this.nanoTime = nanoTime;
  }

  /**
   * Measures.
   *
   * @param interrupted asked after each turn whether to leave
   * @return the times of each; nothing if it was interrupted
   */
  Optional<List<StepTimes>> run(ProgressDisplay progress, BooleanSupplier interrupted) {
    long[][] nanos = new long[trainings.size()][ROUNDS];
    for (int round = -WARM_UP; round < ROUNDS; round++) {
      if (round == 0) {
        trainings.forEach(Training::startTiming);
      }
      for (int turn = 0; turn < trainings.size(); turn++) {
        int which = round % 2 == 0 ? turn : trainings.size() - 1 - turn;
        long start = nanoTime.getAsLong();
        for (int i = 0; i < steps; i++) {
          step.of(trainings.get(which), i);
        }
        if (round >= 0) {
          nanos[which][round] = nanoTime.getAsLong() - start;
        }
        if (interrupted.getAsBoolean()) {
          return Optional.empty();
        }
        progress.show(
            (round + WARM_UP) * trainings.size() + turn + 1,
            (WARM_UP + ROUNDS) * trainings.size(),
            "turns of " + steps + " steps");
      }
    }
    List<StepTimes> times = new ArrayList<>();
    for (int i = 0; i < trainings.size(); i++) {
      times.add(times(trainings.get(i), nanos[i]));
    }
    return Optional.of(times);
  }

  private StepTimes times(Training training, long[] nanos) {
    List<Double> millis = new ArrayList<>();
    long all = 0;
    for (long round : nanos) {
      millis.add(round / NANOS_A_MILLI / steps);
      all += round;
    }
    return new StepTimes(millis, training.partsMillis(all, ROUNDS * steps));
  }
}
