package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.layers.Precision;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class ResultTableTest {
  @Test
  void showsTrainingsSideBySide() {
    assertThat(ResultTable.of(List.of(Sample.FLOAT32, Sample.SWITCHBACK), "test accuracy"))
        .isEqualTo(
            """
                                              FLOAT32            SWITCHBACK
            final loss                         0.3120                0.3140
            test accuracy                     87.35 %               87.20 %
              points more, 95 %                     -        -0.85 to +0.57
            time of a step                   182.4 ms               95.0 ms
              float multiply         100.0 ms  54.8 %                     -
              attention               50.0 ms  27.4 %       45.0 ms  47.4 %
              quantize                              -        3.1 ms   3.3 %
              int8 multiply                         -       40.0 ms  42.1 %
              rest                    32.4 ms  17.8 %        6.9 ms   7.3 %
            images a second                     1,404                 2,695
            speed                              1.00 x                1.92 x
              95 % interval                         -          1.85 to 1.99
            """);
  }

  @Test
  void theLongestNamesHaveTheirColumns() {
    for (Precision precision : Precision.values()) {
      TimedTraining named = named(precision);
      List<String> lines = ResultTable.of(List.of(named, named), "test accuracy").lines().toList();
      assertThat(lines)
          .as("%s", precision)
          .allMatch(line -> line.length() == lines.get(0).length());
      assertThat(lines.get(0)).contains(" " + precision + " ");
    }
  }

  private static TimedTraining named(Precision precision) {
    TimedTraining like = Sample.SWITCHBACK;
    TrainingResult result = like.result();
    return new TimedTraining(
        new TrainingResult(
            precision.name(),
            result.tests(),
            result.mistakes(),
            result.finalLoss(),
            result.losses()),
        like.times(),
        like.batch());
  }

  @Test
  void oneTrainingHasNothingToCompareWith() {
    assertThat(ResultTable.of(List.of(Sample.FLOAT32), "test accuracy"))
        .contains("FLOAT32", "images a second")
        .doesNotContain("speed");
  }

  @Test
  void isTheSameInEveryLocale() {
    String expected = ResultTable.of(List.of(Sample.FLOAT32), "test accuracy");
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.GERMANY);
    try {
      assertThat(ResultTable.of(List.of(Sample.FLOAT32), "test accuracy"))
          .isEqualTo(expected)
          .contains("182.4 ms");
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void aTrainingThatDivergedIsShownAsSuch() {
    assertThat(ResultTable.of(List.of(Sample.diverged()), "test accuracy").lines().toList().get(1))
        .startsWith("final loss")
        .endsWith(" NaN");
  }
}
