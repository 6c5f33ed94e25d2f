package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LossCurveTest {
  @Test
  void endsBeforeTheFirstLossThatIsNotFinite() {
    assertThat(LossCurve.finitePart(List.of(3.0, 2.0, Double.POSITIVE_INFINITY, 1.0)))
        .containsExactly(3, 2);
  }

  @Test
  void aTrainingThatDivergedAtOnceHasOnePointWhichDrawsNoLine() {
    assertThat(LossCurve.finitePart(List.of(Double.NaN, 1.0))).containsExactly(0);
    assertThat(LossCurve.finitePart(List.of())).containsExactly(0);
  }

  @Test
  void smoothingKeepsAStraightLineButForTheEnd() {
    double[] line = IntStream.range(0, 400).mapToDouble(i -> 10 - 0.01 * i).toArray();

    double[] smooth = LossCurve.smooth(line);

    for (int i = 0; i < 395; i++) {
      assertThat(smooth[i]).isCloseTo(line[i], within(1e-12));
    }
  }

  @Test
  void smoothingTakesMostOfTheNoiseAway() {
    double[] noise = IntStream.range(0, 4000).mapToDouble(i -> i % 2 == 0 ? 1 : -1).toArray();

    double[] smooth = LossCurve.smooth(noise);

    assertThat(Arrays.stream(smooth).skip(100).map(Math::abs).max().orElseThrow()).isLessThan(0.05);
  }

  @Test
  void fewLossesAreNotSmoothed() {
    assertThat(LossCurve.smooth(new double[] {3, 1, 2})).containsExactly(3, 1, 2);
    assertThat(LossCurve.smooth(new double[0])).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 439, 440, 441, 880, 881, 100_000})
  void drawsEvenlyChosenStepsAndTheLast(int count) {
    int[] steps = LossCurve.steps(count);

    assertThat(steps.length).isBetween(Math.min(count, 221), 440);
    assertThat(steps[steps.length - 1]).isEqualTo(count - 1);
    assertThat(steps[0]).isBetween(0, count / steps.length);
    int stride = Math.ceilDiv(count, 440);
    for (int i = 1; i < steps.length; i++) {
      assertThat(steps[i] - steps[i - 1]).isEqualTo(stride);
    }
  }

  @Test
  void nothingToDraw() {
    assertThat(LossCurve.steps(0)).isEmpty();
  }
}
