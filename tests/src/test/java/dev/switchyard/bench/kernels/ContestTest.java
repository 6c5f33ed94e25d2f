package dev.switchyard.bench.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.bench.kernels.Contest.Contestant;
import dev.switchyard.bench.kernels.Contest.Turn;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContestTest {
  private final List<String> calls = new ArrayList<>();
  private final StringWriter progress = new StringWriter();

  /** Long enough that a turn is one call, and warm-up too. */
  private void work(String name) {
    calls.add(name);
    try {
      Thread.sleep(110 * 3);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void turnsAlternate() {
    new Contest(3, 1, new PrintWriter(progress))
        .run(List.of(new Contestant("a", () -> work("a")), new Contestant("b", () -> work("b"))));

    assertThat(calls).containsExactly("a", "b", "a", "b", "a", "b", "a", "b");
    assertThat(progress.toString().lines())
        .containsExactly(
            "Warming up a", "Warming up b", "Round 1 of 3", "Round 2 of 3", "Round 3 of 3");
  }

  @Test
  void partsAndRestMakeUpTheTime() {
    Profile profile = new Profile();
    Runnable work =
        () -> {
          profile.measure(Part.MULTIPLY, () -> work("multiply"));
          work("rest");
        };

    Turn turn =
        new Contest(1, 2, new PrintWriter(progress))
            .run(List.of(new Contestant("a", profile, work)))
            .get(0);

    assertThat(turn.partNanos().get(Part.MULTIPLY)).isGreaterThanOrEqualTo(330e6);
    assertThat(turn.restNanos()).isGreaterThanOrEqualTo(330e6);
    assertThat(turn.partNanos().get(Part.QUANTIZE)).isZero();
    assertThat(turn.partNanos().get(Part.MULTIPLY) + turn.restNanos())
        .isCloseTo(turn.nanos(), within(1.0));
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

  @Test
  void bestOfTheRunStandsInForThePeak() {
    Peaks.Peak peak = Peaks.of(ElementType.INT8, 1, 123);

    assertThat(peak.peakMeasured()).isFalse();
    assertThat(peak.gops()).isEqualTo(123);
  }
}
