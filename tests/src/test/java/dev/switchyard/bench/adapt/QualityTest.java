package dev.switchyard.bench.adapt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Accuracy and F1, by hand. */
class QualityTest {
  @Test
  void countsByHand() {
    // Guesses 0 0 1 1 0 of labels 0 1 1 1 0: F1 2*2/(3+2) and 2*2/(2+3), and 1 for a class without.
    FloatMatrix scores =
        FloatMatrix.of(new float[] {2, 1, 0, 1, 0, 0, 0, 3, 0, 0, 1, 0, 5, 5, 5}, 5, 3);
    Quality quality = Quality.of(scores, List.of(0, 1, 1, 1, 0));
    assertThat(quality.accuracy()).isEqualTo(0.8);
    assertThat(quality.macroF1()).isCloseTo((0.8 + 0.8 + 1) / 3, within(1e-12));
  }

  @Test
  void aClassThatIsNeverFoundCounts() {
    FloatMatrix scores = FloatMatrix.of(new float[] {1, 0, 1, 0, 1, 0}, 3, 2);
    Quality quality = Quality.of(scores, List.of(0, 0, 1));
    assertThat(quality.accuracy()).isCloseTo(2 / 3.0, within(1e-12));
    assertThat(quality.macroF1()).isCloseTo(0.4, within(1e-12)); // 2*2/(3+2), and 0
  }
}
