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
    Map<String, Double> parts = new LinkedHashMap<>(Map.of("rest", 1.0));
    List<Double> losses = new ArrayList<>(List.of(2.0));
    TrainingResult result = new TrainingResult("FLOAT32", 0.5, 2, 1, parts, 100, losses);

    parts.clear();
    losses.clear();

    assertThat(result.partsMillis()).containsEntry("rest", 1.0);
    assertThat(result.losses()).containsExactly(2.0);
  }

  @Test
  void accuracyIsAFraction() {
    assertThatThrownBy(() -> new TrainingResult("FLOAT32", 87.35, 2, 1, Map.of(), 100, List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("testAccuracy is 87.35 (expected 0 to 1)");
  }

  @Test
  void aStepTakesTime() {
    assertThatThrownBy(() -> new TrainingResult("FLOAT32", 0.5, 2, 0, Map.of(), 100, List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("stepMillis is 0.0 (expected more than 0)");
  }
}
