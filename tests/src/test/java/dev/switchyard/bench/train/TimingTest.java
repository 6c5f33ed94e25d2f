package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.bench.command.ProgressDisplay;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

/** What is measured does not depend on who comes first. */
class TimingTest {
  private long now;

  /** A training that only has a name. */
  private record Named(String name, List<Integer> timed) implements Training {
    @Override
    public List<Double> losses() {
      return List.of();
    }

    @Override
    public double step(int epoch, int[] order, int from, float rate) {
      throw new AssertionError();
    }

    @Override
    public void startTiming() {
      timed.add(0);
    }

    @Override
    public Map<String, Double> partsMillis(long nanos, int steps) {
      return Map.of("nanos", (double) nanos, "steps", (double) steps);
    }

    @Override
    public boolean isSaveDue(int step, int stepsAnEpoch) {
      return false;
    }

    @Override
    public boolean canSave() {
      return true;
    }

    @Override
    public void save(int stepsAnEpoch) {}

    @Override
    public void finish(TrainingResult result) {}

    @Override
    public Map<String, Object> exchangeCosts() {
      return Map.of();
    }

    @Override
    public List<Integer> mistakes() {
      return List.of();
    }
  }

  private interface Cost {
    long nanos(String name, int stepsSoFar);
  }

  private StepTimes[] times(Cost cost, String... names) {
    List<Training> trainings = new ArrayList<>();
    for (String name : names) {
      trainings.add(new Named(name, new ArrayList<>()));
    }
    int[] steps = {0};
    LongSupplier clock = () -> now;
    Timing timing =
        new Timing(
            trainings, 5, (training, i) -> now += cost.nanos(training.name(), steps[0]++), clock);
    return timing.run(ProgressDisplay.none(), () -> false).orElseThrow().toArray(StepTimes[]::new);
  }

  private static long base(String name) {
    return name.equals("slow") ? 30_000_000 : 20_000_000;
  }

  /** Whatever runs first compiles what both need. */
  @Test
  void theFirstDoesNotPayForWarmUp() {
    Cost cost = (name, step) -> base(name) * (step < 10 ? 20 : 1);
    StepTimes[] times = times(cost, "slow", "fast");
    StepTimes[] reversed = times(cost, "fast", "slow");
    assertThat(times[1].speedOver(times[0]).estimate()).isCloseTo(1.5, within(1e-9));
    assertThat(reversed[1].speedOver(reversed[0]).estimate()).isCloseTo(1 / 1.5, within(1e-9));
    assertThat(times[0].stepMillis()).isEqualTo(30);
    assertThat(times[0].partsMillis())
        .containsEntry("steps", 40.0)
        .containsEntry("nanos", 40 * 3e7);
  }

  /** A machine that becomes slower all the time does so for both. */
  @Test
  void aDriftFavoursNobody() {
    Cost cost = (name, step) -> (long) (base(name) * Math.exp(0.01 * step));
    StepTimes[] times = times(cost, "slow", "fast");
    StepTimes[] reversed = times(cost, "fast", "slow");
    assertThat(times[1].speedOver(times[0]).estimate()).isCloseTo(1.5, within(1e-3));
    assertThat(reversed[0].speedOver(reversed[1]).estimate()).isCloseTo(1.5, within(1e-3));
  }

  @Test
  void leavesWhenAsked() {
    List<Training> trainings = List.of(new Named("a", new ArrayList<>()));
    Set<Integer> turns = new HashSet<>();
    Timing timing = new Timing(trainings, 7, (training, i) -> turns.add(i));
    assertThat(timing.run(ProgressDisplay.none(), () -> true)).isEmpty();
    assertThat(turns).as("a turn").hasSize(7);
  }
}
