package dev.switchyard.bench.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class RatioTest {
  @Test
  void neverSaysThatSomethingTakesNoTime() {
    for (double ratio = 1e-9; ratio < 1e6; ratio *= 1.37) {
      double said = Double.parseDouble(Ratio.text(ratio));
      assertThat(said).isCloseTo(ratio, within(Math.max(0.05 * Math.min(ratio, 0.1), 1e-30)));
    }
    assertThat(Ratio.text(0.004)).isEqualTo("0.0040");
    assertThat(Ratio.text(0.98)).isEqualTo("0.98");
    assertThat(Ratio.text(12.345)).isEqualTo("12.35");
  }
}
