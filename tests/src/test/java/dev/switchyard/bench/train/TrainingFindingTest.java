package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.bench.page.Figure;
import dev.switchyard.bench.statistics.Interval;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a page tells first. */
class TrainingFindingTest {
  private static Interval interval(double estimate, double lower, double upper) {
    return new Interval(estimate, lower, upper);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1.9 | 1.8 | -0.001 | 0.002 | Train in B: it is 1.90 (1.80 to 2.00) times as fast as A",
        "1.9 | 1.8 | -0.03  | -0.01 | Stay with A, unless time counts more: B is 1.90",
        "1.1 | 0.9 | -0.001 | 0.002 | Stay with A: that B is faster cannot be told here",
      })
  void saysWhatToDo(double speed, double lower, double from, double to, String sentence) {
    TrainingFinding other =
        new TrainingFinding(
            "B", interval(speed, lower, speed + 0.1), interval((from + to) / 2, from, to));
    assertThat(TrainingFinding.sentence("A", List.of(other))).startsWith(sentence);
  }

  @Test
  void takesTheFastestThatLosesNothing() {
    Interval same = interval(0, -0.01, 0.01);
    Interval less = interval(-0.05, -0.06, -0.04);
    assertThat(
            TrainingFinding.sentence(
                "A",
                List.of(
                    new TrainingFinding("slow", interval(1.2, 1.1, 1.3), same),
                    new TrainingFinding("good", interval(1.8, 1.7, 1.9), same),
                    new TrainingFinding("bad", interval(2.8, 2.7, 2.9), less))))
        .startsWith("Train in good:")
        .endsWith("with +0.00 (-1.00 to +1.00) points of test accuracy.");
  }

  @Test
  void oneAloneHasNothingToCompare() {
    assertThat(TrainingFinding.sentence("A", List.of())).contains("train in another --precision");
  }

  /** In the colours of their curves, from the first as far as both go. */
  @Test
  void curvesThatLieOnEachOtherAreShownAsDifferences() {
    Map<String, List<Double>> losses = new LinkedHashMap<>();
    losses.put("A", List.of(3.0, 2.0, 1.0));
    losses.put("B", List.of(3.5, 2.25, Double.NaN));
    List<Figure> figures = LossCharts.of(losses);
    assertThat(figures).hasSize(2);
    assertThat(figures.get(1).names()).containsExactly("A", "B");
    assertThat(figures.get(1).series().get("series").toString())
        .contains("y=[0.0, 0.0, 0.0]", "y=[0.5, 0.25]");
    losses.remove("B");
    assertThat(LossCharts.of(losses)).hasSize(1);
    assertThat(LossCharts.of(Map.of("A", List.of()))).isEmpty();
  }

  @Test
  void thePageOfATrainingBeginsWithTheFinding() throws Exception {
    String page = TrainPage.of(Sample.report(Sample.FLOAT32, Sample.SWITCHBACK));
    assertThat(page)
        .contains("<h1>Trained</h1>\n<p>Train in SWITCHBACK: it is ")
        .contains("How much more it is than that of FLOAT32");
  }
}
