package dev.switchyard.bench.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.bench.kernels.Contest.Contestant;
import dev.switchyard.bench.kernels.Contest.Turn;
import dev.switchyard.bench.kernels.Contest.Turns;
import dev.switchyard.bench.statistics.Answer;
import dev.switchyard.bench.statistics.Interval;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ContestTest {
  private final List<String> calls = new ArrayList<>();
  private final StringWriter progress = new StringWriter();

  private long now;

  /** By the clock of the contest long enough that a turn is one call, and warm-up too. */
  private void work(String name) {
    calls.add(name);
    now += 330_000_000;
  }

  private Contest contest(int rounds, int threads) {
    return new Contest(rounds, threads, new PrintWriter(progress), () -> now);
  }

  @Test
  void turnsAlternate() {
    contest(3, 1)
        .run(List.of(new Contestant("a", () -> work("a")), new Contestant("b", () -> work("b"))));

    assertThat(calls).containsExactly("a", "b", "a", "b", "a", "b", "a", "b");
    assertThat(progress.toString().lines())
        .containsExactly(
            "Warming up a", "Warming up b", "Round 1 of 3", "Round 2 of 3", "Round 3 of 3");
  }

  @Test
  void partsAndRestMakeUpTheTime() {
    Profile profile = new Profile(() -> now);
    Runnable work =
        () -> {
          profile.measure(Part.MULTIPLY, () -> work("multiply"));
          work("rest");
        };

    Turn turn = contest(1, 2).run(List.of(new Contestant("a", profile, work))).get(0).median();

    assertThat(turn.partNanos().get(Part.MULTIPLY)).isGreaterThanOrEqualTo(330e6);
    assertThat(turn.restNanos()).isGreaterThanOrEqualTo(330e6);
    assertThat(turn.partNanos().get(Part.QUANTIZE)).isZero();
    assertThat(turn.partNanos().get(Part.MULTIPLY) + turn.restNanos())
        .isCloseTo(turn.nanos(), within(1.0));
  }

  /** Whose second round is slower for both. */
  @Test
  void speedsAreComparedWithinRounds() {
    List<Turns> turns =
        List.of(
            turns(100, 220), turns(50, 110), turns(110, 200)); // twice as fast, and about as fast
    List<Interval> speeds = Turns.overFirst(turns);
    assertThat(speeds.get(1)).isEqualTo(new Interval(2, 2, 2));
    assertThat(speeds.get(2).isAbove(1)).isEqualTo(Answer.CANNOT_TELL);
    assertThat(turns.get(0).median().nanos()).isEqualTo(220);
  }

  private static Turns turns(double... nanos) {
    return new Turns(Arrays.stream(nanos).mapToObj(each -> new Turn(each, Map.of(), 0)).toList());
  }

  @Test
  void wrongResultsAreNotTimed() {
    float[] expected = {1, 2, 3};
    assertThatThrownBy(() -> Operands.checkEqual("x", new float[] {1, 2.5f, 3}, expected, 0.1))
        .hasMessage("x gives 2.5 at 1 (expected 2.0 within 0.1): not timed");
    assertThatThrownBy(() -> Operands.checkEqual("x", new float[] {1, Float.NaN, 3}, expected, 0.1))
        .hasMessageContaining("NaN");
    Operands.checkEqual("x", new float[] {1, 2.05f, 3}, expected, 0.1);
  }
}
