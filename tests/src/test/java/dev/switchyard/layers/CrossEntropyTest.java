package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.loss.CrossEntropy;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The cross-entropy against its definition in double precision. */
class CrossEntropyTest {
  private static final float INF = Float.POSITIVE_INFINITY;
  private static final float[] WEIGHTS = {0.5f, 2, 0, 1, 3, 0.25f, 1};
  private static final int CLASSES = WEIGHTS.length;

  private record Result(float loss, float[] gradient) {}

  private static Kernels kernels(String backend) {
    return Kernels.create(BackendChoice.named(backend), Parallel.serial());
  }

  private static Result run(Kernels kernels, CrossEntropy loss, FloatMatrix x, int... labels) {
    Tape tape = Tape.recording(kernels);
    Tensor scores = Tensor.withGrad(x);
    Tensor value = loss.forward(tape, scores, labels);
    tape.backward(value);
    return new Result(
        value.value().get(0, 0), Arrays.copyOf(scores.grad().data(), x.rows() * x.cols()));
  }

  private static FloatMatrix rows(int cols, float... values) {
    return FloatMatrix.of(values, values.length / cols, cols);
  }

  private static FloatMatrix random(int rows, long seed) {
    FloatMatrix x = FloatMatrix.allocate(rows, CLASSES);
    long key = new CounterRandom(seed).key(0);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = 2 * CounterRandom.gaussian(key, i);
    }
    return x;
  }

  static Stream<CrossEntropy> losses() {
    return Stream.of(
        new CrossEntropy(),
        new CrossEntropy(0.1f),
        new CrossEntropy(1),
        new CrossEntropy().withClassWeights(WEIGHTS),
        new CrossEntropy(0.1f).withClassWeights(WEIGHTS));
  }

  private static List<String> backends() {
    return List.of("reference", "vector", "x86");
  }

  /**
   * By how many powers of two scores are moved; all of them are multiples of the last bit there.
   */
  @ParameterizedTest
  @MethodSource("losses")
  void aShiftChangesNothing(CrossEntropy loss) {
    int[] labels = {0, 3, 6};
    for (String backend : backends()) {
      for (int exponent : new int[] {0, 10, 20, 26, 40, 100, 126}) {
        float last = Math.max(0.25f, 2 * Math.ulp((float) Math.scalb(1.0, exponent)));
        for (float shift :
            new float[] {(float) Math.scalb(1.0, exponent), -(float) Math.scalb(1.0, exponent)}) {
          FloatMatrix x = FloatMatrix.allocate(3, CLASSES);
          FloatMatrix moved = FloatMatrix.allocate(3, CLASSES);
          for (int i = 0; i < x.data().length; i++) {
            x.data()[i] = last * ((i * 5) % 7 - 3);
            moved.data()[i] = x.data()[i] + shift;
            assertThat(moved.data()[i] - shift).isEqualTo(x.data()[i]);
          }
          Result expected = run(kernels(backend), loss, x, labels);
          Result actual = run(kernels(backend), loss, moved, labels);
          assertThat(actual.loss)
              .as("shift %s on %s", shift, backend)
              .isNotNegative()
              .isCloseTo(expected.loss, within(1e-6f * Math.max(1, expected.loss)));
          assertThat(actual.gradient).containsExactly(expected.gradient, within(1e-6f));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {0, 1, 1e6f, 1e8f, 1e30f, -1e8f, -1e30f, 3e38f})
  void equalScoresAreALogarithm(float score) {
    for (String backend : backends()) {
      for (float smoothing : new float[] {0, 0.1f}) {
        Result result =
            run(kernels(backend), new CrossEntropy(smoothing), rows(2, score, score), 1);
        assertThat(result.loss).isCloseTo((float) Math.log(2), within(1e-7f));
        assertThat(result.gradient)
            .containsExactly(
                new float[] {(1 - smoothing) / 2, -(1 - smoothing) / 2}, within(1e-7f));
      }
    }
  }

  @Test
  void largeScoresThatDiffer() {
    Result result = run(kernels("x86"), new CrossEntropy(), rows(2, 1e6f + 2, 1e6f - 1), 0);
    assertThat(result.loss).isCloseTo(0.0485873f, within(1e-7f));
    assertThat(run(kernels("x86"), new CrossEntropy(), rows(2, 100, -100), 0).loss).isZero();
    // Each row fits a float, and so does their mean.
    Result huge = run(kernels("x86"), new CrossEntropy(), rows(2, 1e38f, -1e38f), 1);
    assertThat(huge.loss).isEqualTo(2e38f);
  }

  /** The definition, of rows that count. */
  private static double exact(double[][] x, int[] labels, float smoothing, float[] weights) {
    double sum = 0;
    double n = 0;
    for (int i = 0; i < x.length; i++) {
      if (labels[i] == CrossEntropy.IGNORED) {
        continue;
      }
      double exponentials = Arrays.stream(x[i]).map(Math::exp).sum();
      for (int j = 0; j < CLASSES; j++) {
        double target =
            (j == labels[i] ? 1 - (double) smoothing : 0) + (double) smoothing / CLASSES;
        sum -= weights[j] * target * (x[i][j] - Math.log(exponentials));
      }
      n += weights[labels[i]];
    }
    return n == 0 ? 0 : sum / n;
  }

  /** Loss and gradient, the latter by differences of the definition. */
  @ParameterizedTest
  @ValueSource(floats = {0, 0.1f, 1})
  void isItsDefinition(float smoothing) {
    int[] labels = {1, -100, 6, 2, -100, 4};
    float[] ones = new float[CLASSES];
    Arrays.fill(ones, 1);
    for (float[] weights : new float[][] {ones, WEIGHTS}) {
      FloatMatrix x = random(labels.length, 3);
      double[][] exact = new double[labels.length][CLASSES];
      for (int i = 0; i < labels.length; i++) {
        for (int j = 0; j < CLASSES; j++) {
          exact[i][j] = x.get(i, j);
        }
      }
      for (String backend : backends()) {
        CrossEntropy loss = new CrossEntropy(smoothing);
        Result result = run(kernels(backend), loss.withClassWeights(weights), x, labels);
        assertThat((double) result.loss)
            .isCloseTo(exact(exact, labels, smoothing, weights), within(2e-6));
        for (int i = 0; i < labels.length; i++) {
          for (int j = 0; j < CLASSES; j++) {
            double old = exact[i][j];
            exact[i][j] = old + 1e-4;
            double above = exact(exact, labels, smoothing, weights);
            exact[i][j] = old - 1e-4;
            double below = exact(exact, labels, smoothing, weights);
            exact[i][j] = old;
            assertThat((double) result.gradient[i * CLASSES + j])
                .as("gradient (%d, %d)", i, j)
                .isCloseTo((above - below) / 2e-4, within(1e-6));
          }
        }
        if (Arrays.equals(weights, ones)) {
          Result plain = run(kernels(backend), loss, x, labels);
          assertThat(plain.loss).isCloseTo(result.loss, within(1e-6f));
        }
      }
    }
  }

  /** A common factor of the class weights cancels out, however large or small it is. */
  @ParameterizedTest
  @ValueSource(ints = {-140, -127, -1, 1, 126})
  void weightsCountByTheirRatios(int exponent) {
    float[] weights = {0.5f, 1, 0, 0.25f, 1.5f, 0.25f, 1}; // whose multiples are exact
    float[] multiples = new float[CLASSES];
    for (int j = 0; j < CLASSES; j++) {
      multiples[j] = Math.scalb(weights[j], exponent);
    }
    for (CrossEntropy loss : List.of(new CrossEntropy(), new CrossEntropy(0.1f))) {
      Result expected = run(kernels("x86"), loss.withClassWeights(weights), random(3, 7), 1, 4, 6);
      Result actual = run(kernels("x86"), loss.withClassWeights(multiples), random(3, 7), 1, 4, 6);
      assertThat(actual.loss).isEqualTo(expected.loss);
      assertThat(actual.gradient).isEqualTo(expected.gradient);
    }
  }

  /** What is ignored is as if it were not there, whatever it holds. */
  @ParameterizedTest
  @MethodSource("losses")
  void ignoredRowsDoNotCount(CrossEntropy loss) {
    FloatMatrix x = random(4, 5);
    FloatMatrix some = FloatMatrix.allocate(2, CLASSES);
    x.rowRange(0, 1).copyTo(some.rowRange(0, 1));
    x.rowRange(2, 3).copyTo(some.rowRange(1, 2));
    Arrays.fill(x.data(), CLASSES, 2 * CLASSES, Float.NaN);
    Arrays.fill(x.data(), 3 * CLASSES, 4 * CLASSES, INF);
    Result expected = run(kernels("x86"), loss, some, 1, 4);
    for (int ignored : new int[] {-100, -1, CLASSES}) {
      Result actual = run(kernels("x86"), loss.withIgnored(ignored), x, 1, ignored, 4, ignored);
      assertThat(actual.loss).isEqualTo(expected.loss);
      float[] gradient = new float[4 * CLASSES];
      System.arraycopy(expected.gradient, 0, gradient, 0, CLASSES);
      System.arraycopy(expected.gradient, CLASSES, gradient, 2 * CLASSES, CLASSES);
      assertThat(actual.gradient).isEqualTo(gradient);
    }
    Result none = run(kernels("x86"), loss, some, -100, -100);
    assertThat(none.loss).isZero();
    assertThat(none.gradient).containsOnly(0);
  }

  /** A row whose class has no weight, and no part in any other, is as if it were not there. */
  @Test
  void rowsWithoutTargetsDoNotCount() {
    CrossEntropy loss = new CrossEntropy().withClassWeights(0, 1, 2);
    for (float any : new float[] {1, -INF, INF, Float.NaN}) {
      FloatMatrix x = rows(3, any, any, any, 1, 2, 3);
      Result expected = run(kernels("x86"), loss, x.rowRange(1, 2), 2);
      Result actual = run(kernels("x86"), loss, x, 0, 2);
      assertThat(actual.loss).isEqualTo(expected.loss);
      assertThat(Arrays.copyOf(actual.gradient, 3)).containsOnly(0);
      assertThat(Arrays.copyOfRange(actual.gradient, 3, 6)).isEqualTo(expected.gradient);
    }
  }

  /** Their targets are those of smoothing alone, and there is nothing to divide by. */
  @Test
  void noWeightAtAll() {
    CrossEntropy loss = new CrossEntropy(0.1f).withClassWeights(0, 1);
    Result result = run(kernels("x86"), loss, rows(2, 3, 1), 0);
    assertThat(result.loss).isZero();
    assertThat(result.gradient).containsOnly(0, -0f);
  }

  /** A class that a mask has set to -Infinity is as if it were not there. */
  @Test
  void impossibleClasses() {
    for (String backend : backends()) {
      Result masked = run(kernels(backend), new CrossEntropy(), rows(4, 1, -INF, 2, -INF), 0);
      Result without = run(kernels(backend), new CrossEntropy(), rows(2, 1, 2), 0);
      assertThat(masked.loss).isEqualTo(without.loss);
      assertThat(masked.gradient).containsExactly(without.gradient[0], 0, without.gradient[1], 0);
      // With label smoothing, if its weight is 0.
      CrossEntropy smooth = new CrossEntropy(0.1f).withClassWeights(1, 0, 1);
      assertThat(run(kernels(backend), smooth, rows(3, 1, -INF, 2), 0).loss).isBetween(0f, 2f);
    }
  }

  static Stream<float[]> notFinite() {
    return Stream.of(
        new float[] {1, Float.NaN, 2},
        new float[] {1, INF, 2},
        new float[] {INF, 1, 2},
        new float[] {-INF, 1, 2}, // the label's
        new float[] {-INF, -INF, -INF});
  }

  @ParameterizedTest
  @MethodSource("notFinite")
  void rowsThatAreNotFiniteFollowThePolicy(float[] row) {
    float[] both = {0.5f, 1, -1, row[0], row[1], row[2]};
    for (String backend : backends()) {
      Kernels kernels = kernels(backend);
      FloatMatrix x = FloatMatrix.of(both, 2, 3);
      assertThatExceptionOfType(NonFiniteException.class)
          .isThrownBy(() -> run(kernels, new CrossEntropy(), x, 1, 0))
          .withMessageMatching(
              "score \\(1, .\\) of the 2x3 scores is (NaN|-?Infinity), with label 0 .*");
      Kernels propagating = kernels.withNonFinite(NonFinitePolicy.PROPAGATE);
      Result result = run(propagating, new CrossEntropy(), x, 1, 0);
      assertThat(Float.isFinite(result.loss)).isFalse();
      assertThat(Arrays.copyOfRange(result.gradient, 3, 6)).containsOnly(Float.NaN);
      assertThat(Float.isFinite(result.gradient[0] + result.gradient[1] + result.gradient[2]))
          .isTrue();
    }
  }

  @Test
  void aLossBeyondFloat() {
    FloatMatrix x = rows(2, -3e38f, 3e38f);
    assertThatThrownBy(() -> run(kernels("x86"), new CrossEntropy(), x, 0))
        .isInstanceOf(NonFiniteException.class)
        .hasMessageMatching("the cross-entropy is [56]\\..*E38 \\(expected .* within float32\\)");
    Kernels propagating = kernels("x86").withNonFinite(NonFinitePolicy.PROPAGATE);
    Result result = run(propagating, new CrossEntropy(), x, 0);
    assertThat(result.loss).isInfinite();
    assertThat(result.gradient).containsOnly(Float.NaN);
  }

  @Test
  void smoothingGivesEachClassAPart() {
    assertThatThrownBy(() -> run(kernels("x86"), new CrossEntropy(0.1f), rows(3, 1, 2, -INF), 0))
        .isInstanceOf(NonFiniteException.class)
        .hasMessage(
            "score (0, 2) of the 1x3 scores is -Infinity, with label 0 and label smoothing 0.1"
                + " (expected a finite number, or -Infinity for a class without a part of the"
                + " target)");
  }

  @Test
  void refusesWhatItCannotUse() {
    Kernels kernels = kernels("reference");
    assertThatThrownBy(() -> run(kernels, new CrossEntropy(), rows(2, 1, 2), -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("label 0 is -1 (expected 0 to 1, or -100 to ignore the row)");
    assertThatThrownBy(() -> run(kernels, new CrossEntropy().withClassWeights(1), rows(2, 1, 2), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("scores are 1x2 but there are 1 class weights (expected one for each class)");
    for (float bad : new float[] {-1, Float.NaN, INF}) {
      assertThatThrownBy(() -> new CrossEntropy().withClassWeights(1, bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("weight of class 1 is %s (expected 0 or more, and finite)", bad);
    }
  }
}
