package dev.switchyard.bench.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SeriesTest {
  @Test
  void smoothsOverTheLastFortieth() {
    double[] values = new double[80];
    values[10] = 4;
    assertThat(Series.smooth(values)[9]).isZero();
    assertThat(Series.smooth(values)[10]).isEqualTo(2);
    assertThat(Series.smooth(values)[11]).isEqualTo(2);
    assertThat(Series.smooth(values)[12]).isZero();
    assertThat(Series.smooth(new double[] {3, 1})).containsExactly(3, 1);
  }

  @Test
  void findsWhereALimitIsReached() {
    double[] values = {3, 1, 2, 2.5, Double.NaN, 2, 1};
    assertThat(Series.crossings(values, 2)).containsExactly(0, 2, 5);
  }

  @Test
  void countsWhatFollows() {
    List<Integer> causes = List.of(10, 30);
    assertThat(Series.following(List.of(10, 11, 18, 19, 29, 38), causes, 1, 8)).isEqualTo(3);
    assertThat(Series.covered(40, causes, 1, 8)).isEqualTo(16 / 40.0);
    assertThat(Series.covered(34, causes, 1, 8)).isEqualTo(11 / 34.0);
    assertThat(Series.covered(40, List.of(10, 12), 1, 8)).isEqualTo(10 / 40.0);
  }
}
