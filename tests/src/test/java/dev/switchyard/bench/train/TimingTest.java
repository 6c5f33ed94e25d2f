package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.bench.command.ProgressDisplay;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

/** What is measured does not depend on who comes first. */
class TimingTest {
  private long now;

  /** A training that only has a name, and knows how many steps there were when it was to begin. */
  private record Named(String name, List<Integer> started, IntSupplier steps) implements Training {
    Named(String name, IntSupplier steps) {
      this(name, new ArrayList<>(), steps);
    }

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
      started.add(steps.getAsInt());
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
    int[] steps = {0};
    List<Named> trainings =
        Arrays.stream(names).map(name -> new Named(name, () -> steps[0])).toList();
    LongSupplier clock = () -> now;
    Timing timing =
        new Timing(
            List.copyOf(trainings),
            5,
            (training, i) -> now += cost.nanos(training.name(), steps[0]++),
            clock);
    List<StepTimes> times = timing.run(ProgressDisplay.none(), () -> false).orElseThrow();
    int warmUp = 2 * 5 * names.length;
    assertThat(trainings).allSatisfy(t -> assertThat(t.started()).containsExactly(warmUp));
    return times.toArray(StepTimes[]::new);
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
    List<Training> trainings = List.of(new Named("a", () -> 0), new Named("b", () -> 0));
    List<String> steps = new ArrayList<>();
    Timing timing = new Timing(trainings, 3, (training, i) -> steps.add(training.name() + i));
    assertThat(timing.run(ProgressDisplay.none(), () -> true)).isEmpty();
    assertThat(steps).as("a turn").containsExactly("a0", "a1", "a2");
  }
}
