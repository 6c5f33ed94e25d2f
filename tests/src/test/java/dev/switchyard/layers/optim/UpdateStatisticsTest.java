package dev.switchyard.layers.optim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.layers.Fixtures;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

/** What is said of an update, against the definitions, one quantity at a time. */
class UpdateStatisticsTest {
  private static final int N = 101;
  private static final double KEEP = 0.85;
  private static final double CORRECTION1 = 0.3;
  private static final double CORRECTION2 = 0.02;
  private static final double EPS = 1e-3;

  private final float[] w = Fixtures.gaussian(1, N, 1).data();
  private final float[] g = Fixtures.gaussian(1, N, 2).data();
  private final float[] m = Fixtures.gaussian(1, N, 3).data();
  private final float[] v = Fixtures.gaussian(1, N, 4).data();

  private static double[] each(IntToDoubleFunction of) {
    return IntStream.range(0, N).mapToDouble(of).toArray();
  }

  private static double dot(double[] x, double[] y) {
    return Arrays.stream(each(i -> x[i] * y[i])).sum();
  }

  private static double cosine(double[] x, double[] y) {
    return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  }

  @Test
  void everyQuantityIsWhatItsNameSays() {
    for (int i = 0; i < N; i++) {
      m[i] += 0.7f; // so that the mean of the update is not 0
      v[i] = i % 10 == 0 ? 1e-12f : v[i] * v[i]; // ten and one under eps
    }
    double[] gradient = each(i -> g[i]);
    double[] root = each(i -> Math.sqrt(v[i] / CORRECTION2));
    double[] u = each(i -> m[i] / CORRECTION1 / (root[i] + EPS));
    double[] ratios = each(i -> g[i] / Math.max(root[i], EPS));
    double[] weights = each(i -> w[i]);
    double[] before = each(i -> m[i] - (1 - KEEP) * g[i]);

    UpdateStatistics s = UpdateStatistics.of(w, g, m, v, KEEP, CORRECTION1, CORRECTION2, EPS);

    assertNear(s.rms(), Math.sqrt(dot(ratios, ratios) / N));
    assertNear(s.updateNorm(), Math.sqrt(dot(u, u)));
    assertNear(s.weightNorm(), Math.sqrt(dot(weights, weights)));
    assertNear(s.cosineGradient(), cosine(u, gradient));
    assertNear(s.cosineMoment(), cosine(u, before));
    assertThat(s.underEps()).isEqualTo(11.0 / N);
    double mean = Arrays.stream(u).average().orElseThrow();
    double variance = moment(u, mean, 2);
    double skewness = moment(u, mean, 3) / Math.pow(variance, 1.5);
    double kurtosis = moment(u, mean, 4) / Math.pow(variance, 2);
    assertNear(s.bimodality(), (skewness * skewness + 1) / kurtosis);
  }

  private static double moment(double[] x, double mean, int order) {
    return Arrays.stream(x).map(y -> Math.pow(y - mean, order)).average().orElseThrow();
  }

  private static void assertNear(double actual, double expected) {
    assertThat(actual).isCloseTo(expected, Percentage.withPercentage(1e-8));
  }
}
