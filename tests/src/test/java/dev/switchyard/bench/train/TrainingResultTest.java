package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingResultTest {
  @Test
  void doesNotChangeWithWhatItWasMadeFrom() {
    List<Integer> mistakes = new ArrayList<>(List.of(3));
    List<Double> losses = new ArrayList<>(List.of(2.0));
    TrainingResult result = new TrainingResult("FLOAT32", 4, mistakes, 2, losses);
    Map<String, Double> parts = new LinkedHashMap<>(Map.of("rest", 1.0));
    StepTimes times = new StepTimes(List.of(1.0), parts);

    mistakes.clear();
    losses.clear();
    parts.clear();

    assertThat(result.testAccuracy()).isEqualTo(0.75);
    assertThat(result.losses()).containsExactly(2.0);
    assertThat(times.partsMillis()).containsEntry("rest", 1.0);
  }

  @Test
  void mistakesAreTestImages() {
    assertThatThrownBy(() -> new TrainingResult("FLOAT32", 4, List.of(4), 2, List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("mistakes has 4 (expected 0 to 3)");
  }

  @Test
  void aStepTakesTime() {
    assertThatThrownBy(() -> new StepTimes(List.of(1.0, 0.0), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("roundMillis is [1.0, 0.0] (expected one or more, above 0)");
  }

  @Test
  void aStepIsTheMedianOfTheRounds() {
    assertThat(new StepTimes(List.of(3.0, 1.0, 9.0), Map.of()).stepMillis()).isEqualTo(3);
    assertThat(new StepTimes(List.of(3.0, 1.0, 9.0, 2.0), Map.of()).stepMillis()).isEqualTo(2.5);
  }

  /** The same images are compared, not two numbers. */
  @Test
  void accuracyIsComparedOnTheSameImages() {
    TrainingResult first = Sample.FLOAT32.result();
    TrainingResult second = Sample.SWITCHBACK.result();
    assertThat(second.accuracyOver(first).estimate()).isEqualTo(-3 / 2000.0);
    assertThat(first.accuracyOver(first).estimate()).isZero();
  }
}
