package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Matrices.Cell;
import dev.switchyard.kernels.Matrices.Values;
import dev.switchyard.kernels.RowOperation.Exponentials;
import dev.switchyard.kernels.RowOperation.Inputs;
import dev.switchyard.kernels.RowOperation.Moments;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The element-wise operations on both backends against double precision. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // series must end
class ElementwiseTest {
  private static final int ROWS = 3;

  /** From the smallest to the largest numbers, and where exponentials are at their limits. */
  private static final float[] EXTREMES = {
    0, -0f, 1e-30f, -1e-30f, 1, -1, 4, -4, 13, -13, 14, -14, 87, -87, 88.5f, -88.5f, 100, -100,
    1e10f, -1e10f, 1e30f, -1e30f, 1e38f, -1e38f
  };

  static Stream<Arguments> operations() {
    return Setup.BACKENDS.stream()
        .flatMap(b -> Arrays.stream(RowOperation.values()).map(op -> Arguments.of(b, op)));
  }

  @ParameterizedTest
  @MethodSource("operations")
  void withinBoundsAtEveryLength(String backend, RowOperation op) {
    for (int cols = 1; cols <= 70; cols++) {
      check(backend, op, inputs(op, cols, cols % 2 == 0 ? 1 : 0.37f));
    }
  }

  @ParameterizedTest
  @MethodSource("operations")
  void withinBoundsForExtremes(String backend, RowOperation op) {
    float[] values = select(op.largest);
    FloatMatrix x = Matrices.random(values.length, 19, 1, (key, j) -> pick(values, key, j));
    for (int i = 0; i < values.length; i++) {
      x.set(i, 0, values[i]);
    }
    FloatMatrix y = Matrices.gaussian(values.length, 19, 2);
    check(backend, op, Inputs.of(x, y, 0.5f));
  }

  private static float[] select(double limit) {
    float[] selected = new float[EXTREMES.length];
    int n = 0;
    for (float value : EXTREMES) {
      if (Math.abs(value) <= limit) {
        selected[n++] = value;
      }
    }
    return Arrays.copyOf(selected, n);
  }

  private static float pick(float[] values, long key, int index) {
    return values[Math.floorMod(CounterRandom.bits(key, index), values.length)];
  }

  /** Each thousandth from -20 to 20: no gap of an approximation goes unseen. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void geluIsAccurateEverywhere(String backend) {
    FloatMatrix x = FloatMatrix.allocate(40, 1000);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = (i - 20_000) / 1000f;
    }
    FloatMatrix ones = FloatMatrix.allocate(40, 1000);
    Arrays.fill(ones.data(), 1);
    Inputs in = Inputs.of(x, ones, 1);
    check(backend, RowOperation.GELU, in);
    check(backend, RowOperation.GELU_BACKWARD, in);
  }

  private static void check(String backend, RowOperation op, Inputs in) {
    check(Setup.serial(backend).elementwise(), op, in);
  }

  /** Runs an operation; checks its result, its gaps, and that its inputs are unchanged. */
  static void check(Elementwise e, RowOperation op, Inputs in) {
    int rows = in.x().rows();
    int cols = in.x().cols();
    Inputs before = in.copy();
    FloatMatrix out = Matrices.blank(rows, cols, 4);
    String what = op + " of " + in.x().shape();

    op.run(e, in, out);

    double[][] values = new double[rows][cols];
    double[][] bounds = new double[rows][cols];
    for (int i = 0; i < rows; i++) {
      op.expect(before, i, values[i], bounds[i]);
    }
    // Results may be subnormal, where an error of one unit is absolute, or beyond float.
    Cell bound = (i, j) -> bounds[i][j] + Float.MIN_VALUE;
    Cell value =
        (i, j) -> Float.isInfinite((float) values[i][j]) ? (float) values[i][j] : values[i][j];
    Matrices.assertClose(out, value, bound, what);
    Matrices.assertGapsUntouched(out, what);
    assertThat(Matrices.content(in.x())).as(what).isEqualTo(Matrices.content(before.x()));
    assertThat(Matrices.content(in.y())).as(what).isEqualTo(Matrices.content(before.y()));
  }

  private static Inputs inputs(RowOperation op, int cols, float scale) {
    FloatMatrix x = Matrices.random(ROWS, cols, cols, (key, j) -> 3 * Values.GAUSSIAN.at(key, j));
    if (op == RowOperation.SOFTMAX_BACKWARD) {
      Setup.serial("reference").elementwise().softmax(x, 1, new float[2 * ROWS], 0);
    }
    return Inputs.of(x, Matrices.gaussian(ROWS, cols, 100 + cols), scale);
  }

  @ParameterizedTest
  @MethodSource("operations")
  void resultMayReplaceAnInput(String backend, RowOperation op) {
    Elementwise e = Setup.serial(backend).elementwise();
    for (int cols : new int[] {1, 16, 37}) {
      Inputs in = inputs(op, cols, 0.37f);
      FloatMatrix apart = Matrices.blank(ROWS, cols, 4);
      op.run(e, in.copy(), apart);
      if (op.overX) {
        FloatMatrix x = Matrices.copy(in.x());
        op.run(e, in.withX(x), x);
        Matrices.assertSameBits(x, apart, op + " over x");
        Matrices.assertGapsUntouched(x, op + " over x");
      }
      if (op.overY) {
        FloatMatrix y = Matrices.copy(in.y());
        op.run(e, in.withY(y), y);
        Matrices.assertSameBits(y, apart, op + " over y");
        Matrices.assertGapsUntouched(y, op + " over y");
      }
    }
  }

  /** A NaN spoils its row where the operation mixes rows, its element where not, and no more. */
  @ParameterizedTest
  @MethodSource("operations")
  void nanStaysWhereItBelongs(String backend, RowOperation op) {
    Elementwise e = Setup.serial(backend).elementwise();
    for (int cols : new int[] {3, 16, 37}) {
      Inputs in = inputs(op, cols, 0.37f);
      FloatMatrix clean = Matrices.blank(ROWS, cols, 4);
      op.run(e, in.copy(), clean);
      Inputs spoiled = in.copy();
      spoiled.x().set(1, 2, Float.NaN);
      FloatMatrix out = Matrices.blank(ROWS, cols, 5);

      op.run(e, spoiled, out);

      Cell expected = (i, j) -> i == 1 && (op.mixesRow || j == 2) ? Double.NaN : clean.get(i, j);
      Matrices.assertClose(out, expected, Cell.ZERO, op + " with a NaN");
    }
  }

  @ParameterizedTest
  @MethodSource("operations")
  void threadsDoNotMatter(String backend, RowOperation op) {
    FloatMatrix x = Matrices.gaussian(150, 257, 1);
    Inputs in = Inputs.of(x, Matrices.gaussian(150, 257, 2), 0.37f);
    FloatMatrix one = Matrices.blank(150, 257, 3);
    op.run(Setup.serial(backend).elementwise(), in.copy(), one);
    for (int threads : new int[] {2, 3}) {
      FloatMatrix several = Matrices.blank(150, 257, 3);
      op.run(new Setup(backend, threads).kernels().elementwise(), in.copy(), several);
      Matrices.assertSameBits(several, one, op + " on " + threads + " threads");
      Matrices.assertGapsUntouched(several, op + " on " + threads + " threads");
    }
  }

  @ParameterizedTest
  @MethodSource("operations")
  void emptyMatricesAreNoTrouble(String backend, RowOperation op) {
    Elementwise e = Setup.serial(backend).elementwise();
    FloatMatrix noRows = FloatMatrix.allocate(0, 5);
    FloatMatrix noColumns = FloatMatrix.allocate(5, 0);

    assertThatCode(() -> op.run(e, Inputs.of(noRows, noRows, 1), noRows))
        .doesNotThrowAnyException();
    assertThatCode(() -> op.run(e, Inputs.of(noColumns, noColumns, 1), noColumns))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void softmaxRowsSumToOneAndMatchTheirNormalizer(String backend) {
    Elementwise e = Setup.serial(backend).elementwise();
    for (int cols = 1; cols <= 70; cols++) {
      Inputs in = inputs(RowOperation.SOFTMAX, cols, 0.37f);
      FloatMatrix p = Matrices.blank(ROWS, cols, 1);
      RowOperation.SOFTMAX.run(e, in, p);
      for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int j = 0; j < cols; j++) {
          sum += p.get(i, j);
        }
        // The float sum of the terms, its reciprocal and one product each are off.
        assertThat(sum).isCloseTo(1, within(RowOperation.gamma(cols + 3)));
        Exponentials terms = new Exponentials(in, i);
        assertThat((double) in.computedNormalizers()[1 + 2 * i]).isEqualTo(terms.largest);
        assertThat((double) in.computedNormalizers()[2 + 2 * i])
            .isCloseTo(Math.log(terms.sum), within(terms.logError()));
      }
      assertThat(in.computedNormalizers()[0]).as("before the offset").isZero();
    }
  }

  /** A row that sees n columns has the softmax of these, bit for bit, and zeros after them. */
  @ParameterizedTest
  @MethodSource("setups")
  void softmaxOfWhatIsVisible(Setup setup) {
    Elementwise e = setup.kernels().elementwise();
    int rows = 200; // enough to be split among threads
    for (int visible : new int[] {1, 2, 17, 140}) {
      FloatMatrix x = Matrices.gaussian(rows, 150, visible);
      FloatMatrix p = Matrices.copy(x);
      FloatMatrix again = Matrices.copy(x);
      float[] normalizers = new float[2 * rows + 1];
      e.softmax(p, visible, 0.37f, normalizers, 1);
      e.softmaxFromNormalizers(again, visible, 0.37f, normalizers, 1);
      Matrices.assertGapsUntouched(p, "softmax");
      Matrices.assertGapsUntouched(again, "softmax from normalizer");
      for (int i = 0; i < rows; i++) {
        int n = Math.min(150, visible + i);
        FloatMatrix row = Matrices.copy(x.rowRange(i, i + 1).columnRange(0, n));
        FloatMatrix rowAgain = Matrices.copy(row);
        float[] ofRow = new float[2];
        e.softmax(row, 0.37f, ofRow, 0);
        e.softmaxFromNormalizers(rowAgain, 0.37f, ofRow, 0);
        assertThat(Arrays.copyOfRange(normalizers, 1 + 2 * i, 3 + 2 * i)).isEqualTo(ofRow);
        Matrices.assertSameBits(p.rowRange(i, i + 1).columnRange(0, n), row, "row " + i);
        Matrices.assertSameBits(again.rowRange(i, i + 1).columnRange(0, n), rowAgain, "row " + i);
        for (int j = n; j < 150; j++) {
          assertThat(p.get(i, j)).isZero();
          assertThat(again.get(i, j)).isZero();
        }
      }
    }
  }

  /** Chance: each of 200,000 elements, each of rows and columns; five standard deviations. */
  @ParameterizedTest
  @MethodSource("setups")
  void dropoutDropsItsPart(Setup setup) {
    FloatMatrix x = FloatMatrix.allocate(400, 500);
    Arrays.fill(x.data(), 1);
    FloatMatrix y = FloatMatrix.allocate(400, 500);
    setup.kernels().elementwise().dropout(x, 0.1f, new CounterRandom(3).key(8), y);
    int[] ofRow = new int[400];
    int[] ofColumn = new int[500];
    int dropped = 0;
    for (int i = 0; i < 400; i++) {
      for (int j = 0; j < 500; j++) {
        int zero = y.get(i, j) == 0 ? 1 : 0;
        dropped += zero;
        ofRow[i] += zero;
        ofColumn[j] += zero;
      }
    }
    assertDropped(dropped, 200_000);
    Arrays.stream(ofRow).forEach(count -> assertDropped(count, 500));
    Arrays.stream(ofColumn).forEach(count -> assertDropped(count, 400));
  }

  private static void assertDropped(int count, int of) {
    assertThat((double) count).isCloseTo(0.1 * of, within(5 * Math.sqrt(0.1 * 0.9 * of)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void layerNormLeavesItsStatistics(String backend) {
    Elementwise e = Setup.serial(backend).elementwise();
    for (int cols = 1; cols <= 70; cols++) {
      Inputs in = inputs(RowOperation.LAYER_NORM, cols, 1);
      Arrays.fill(in.stats(), Float.NaN);
      RowOperation.LAYER_NORM.run(e, in, Matrices.blank(ROWS, cols, 1));
      for (int i = 0; i < ROWS; i++) {
        Moments moments = new Moments(in, i);
        assertThat((double) in.stats()[3 * i]).isCloseTo(moments.mean, within(moments.meanError));
        assertThat((double) in.stats()[3 * i + 1])
            .isCloseTo(moments.rstd, within(moments.rstd * moments.rstdError));
      }
    }
  }

  // Operations that end in vectors

  /** Rows in ascending order: the very floats of the naive loop, on any backend and threads. */
  @ParameterizedTest
  @MethodSource("setups")
  void columnSumsAreThoseOfTheNaiveLoop(Setup setup) {
    for (int cols : new int[] {0, 1, 7, 16, 33, 70, 700}) {
      FloatMatrix x = Matrices.gaussian(101, cols, cols);
      float[] sums = start(cols + 1);
      float[] expected = start(cols + 1);
      for (int i = 0; i < x.rows(); i++) {
        for (int j = 0; j < cols; j++) {
          expected[j] += x.get(i, j);
        }
      }

      setup.kernels().elementwise().addColumnSums(x, sums);

      assertThat(sums).isEqualTo(expected);
    }
  }

  /** Products and sums of single floats: the very ones of the naive loop, in the order of rows. */
  @ParameterizedTest
  @MethodSource("setups")
  void columnsScaledAndMultiplied(Setup setup) {
    for (int cols : new int[] {0, 1, 7, 16, 33, 70, 700}) {
      FloatMatrix x = Matrices.gaussian(101, cols, cols);
      FloatMatrix y = Matrices.gaussian(101, cols, cols + 1);
      float[] factors = start(cols + 1);
      float[] sums = start(cols + 1);
      float[] expectedSums = start(cols + 1);
      FloatMatrix expected = Matrices.blank(101, cols, 5);
      for (int i = 0; i < x.rows(); i++) {
        for (int j = 0; j < cols; j++) {
          expected.set(i, j, x.get(i, j) * factors[j]);
          expectedSums[j] += x.get(i, j) * y.get(i, j);
        }
      }
      FloatMatrix out = Matrices.blank(101, cols, 5);
      FloatMatrix inPlace = Matrices.copy(x);

      setup.kernels().elementwise().scaleColumns(x, factors, out);
      setup.kernels().elementwise().scaleColumns(inPlace, factors, inPlace);
      setup.kernels().elementwise().addColumnDots(x, y, sums);

      assertThat(Matrices.bits(out.data())).isEqualTo(Matrices.bits(expected.data()));
      Matrices.assertSameBits(inPlace, expected, "in place");
      assertThat(sums).isEqualTo(expectedSums);
    }
  }

  /**
   * Each gradient is a sum over the rows onto what is there; a term of the gain has three
   * roundings.
   */
  @ParameterizedTest
  @MethodSource("setups")
  void layerNormParameterGradientsAreAdded(Setup setup) {
    int rows = 101;
    for (int cols : new int[] {1, 7, 16, 33, 70, 400}) {
      FloatMatrix x = Matrices.gaussian(rows, cols, cols);
      Inputs in = Inputs.of(x, Matrices.gaussian(rows, cols, 1), 1);
      FloatMatrix gains = FloatMatrix.of(start(cols + 1), 1, cols);
      float[] shifts = start(cols + 1);
      double[] expected = new double[cols];
      double[] magnitudes = new double[cols];
      float[] expectedShifts = start(cols + 1);
      for (int j = 0; j < cols; j++) {
        expected[j] = gains.get(0, j);
        magnitudes[j] = Math.abs(gains.get(0, j));
        for (int i = 0; i < rows; i++) {
          double centred = x.get(i, j) - (double) in.stats()[3 * i];
          double normalized = centred * in.stats()[3 * i + 1] + in.stats()[3 * i + 2];
          expected[j] += in.y().get(i, j) * normalized;
          magnitudes[j] += Math.abs(in.y().get(i, j) * normalized);
          expectedShifts[j] += in.y().get(i, j);
        }
      }

      setup
          .kernels()
          .elementwise()
          .layerNormParameterGradients(x, in.stats(), in.y(), gains.data(), shifts);

      double gamma = RowOperation.gamma(rows + 4);
      Matrices.assertClose(gains, (i, j) -> expected[j], (i, j) -> gamma * magnitudes[j], "gains");
      assertThat(gains.data()[cols]).isEqualTo(start(cols + 1)[cols]);
      assertThat(shifts).isEqualTo(expectedShifts);
    }
  }

  static Stream<Setup> setups() {
    return Setup.all();
  }

  private static float[] start(int n) {
    float[] start = new float[n];
    for (int i = 0; i < n; i++) {
      start[i] = i % 5 - 2;
    }
    return start;
  }

  static Stream<Arguments> adamSteps() {
    return Setup.all()
        .flatMap(
            s ->
                Stream.of(1, 2, 1000)
                    .flatMap(
                        step -> Stream.of(1, 17, 70, 40_000).map(n -> Arguments.of(s, step, n))));
  }

  /**
   * With gradients and moments that no factor cancels: each moment is a sum of two products, at
   * most 5 roundings; the update follows from the stored moments with at most 10, those of its
   * constants included.
   */
  @ParameterizedTest
  @MethodSource("adamSteps")
  void adamWIsTheAlgorithmOfItsPaper(Setup setup, int step, int n) {
    float lr = 1e-2f;
    float beta1 = 0.9f;
    float beta2 = 0.999f;
    float eps = 1e-8f;
    float decay = 0.1f;
    Values absolute = (key, j) -> Math.abs(Values.GAUSSIAN.at(key, j));
    FloatMatrix w = dense(n, 1, Values.GAUSSIAN);
    FloatMatrix g = dense(n, 2, Values.GAUSSIAN);
    FloatMatrix m = dense(n, 3, Values.GAUSSIAN);
    FloatMatrix v = dense(n, 4, absolute);
    FloatMatrix oldW = Matrices.copy(w);
    FloatMatrix oldG = Matrices.copy(g);
    FloatMatrix oldM = Matrices.copy(m);
    FloatMatrix oldV = Matrices.copy(v);

    setup
        .kernels()
        .elementwise()
        .adamW(w.data(), g.data(), m.data(), v.data(), n, step, lr, beta1, beta2, eps, decay);

    double gamma = RowOperation.gamma(5);
    Cell first = (i, j) -> (double) beta1 * oldM.get(0, j) + (1.0 - beta1) * oldG.get(0, j);
    Cell firstSize =
        (i, j) -> Math.abs(beta1 * oldM.get(0, j)) + Math.abs((1.0 - beta1) * oldG.get(0, j));
    Matrices.assertClose(m, first, (i, j) -> gamma * firstSize.at(0, j), "first moment");
    Cell second =
        (i, j) -> (double) beta2 * oldV.get(0, j) + (1.0 - beta2) * oldG.get(0, j) * oldG.get(0, j);
    Matrices.assertClose(v, second, (i, j) -> gamma * second.at(0, j), "second moment");
    Cell update =
        (i, j) ->
            lr
                * (m.get(0, j) / (1 - Math.pow(beta1, step)))
                / (Math.sqrt(v.get(0, j) / (1 - Math.pow(beta2, step))) + eps);
    Cell kept = (i, j) -> oldW.get(0, j) * (1 - (double) lr * decay);
    Matrices.assertClose(
        w,
        (i, j) -> kept.at(0, j) - update.at(0, j),
        (i, j) ->
            gamma * Math.abs(kept.at(0, j)) + RowOperation.gamma(10) * Math.abs(update.at(0, j)),
        "weights");
    assertThat(Matrices.content(g)).isEqualTo(Matrices.content(oldG));
  }

  /**
   * As above; the terms of the mean are positive and have at most 6 roundings, a run of them is
   * summed in float.
   */
  @ParameterizedTest
  @MethodSource("adamSteps")
  void stableAdamWIsTheAlgorithmOfItsPaper(Setup setup, int step, int n) {
    float beta1 = 0.9f;
    float beta2 = 0.99f;
    float eps = 1e-3f;
    float rate = 1e-2f;
    float decay = 1e-3f;
    FloatMatrix w = dense(n, 1, Values.GAUSSIAN);
    FloatMatrix g = dense(n, 2, Values.GAUSSIAN);
    FloatMatrix m = dense(n, 3, Values.GAUSSIAN);
    FloatMatrix v = dense(n, 4, (key, j) -> j % 5 == 0 ? 0 : Math.abs(Values.GAUSSIAN.at(key, j)));
    FloatMatrix oldW = Matrices.copy(w);
    FloatMatrix oldM = Matrices.copy(m);
    FloatMatrix oldV = Matrices.copy(v);
    for (int j = 0; j < n; j += 10) {
      g.set(0, j, 1e-4f); // with v = 0: less than eps
    }
    FloatMatrix oldG = Matrices.copy(g);
    Elementwise ops = setup.kernels().elementwise();

    double rms = ops.stableAdamWMoments(g.data(), m.data(), v.data(), n, step, beta1, beta2, eps);
    ops.stableAdamWUpdate(w.data(), m.data(), v.data(), n, decay, rate, eps);

    double gamma = RowOperation.gamma(6);
    double keep1 = beta1 * (1 - Math.pow(beta1, step - 1)) / (1 - Math.pow(beta1, step));
    double keep2 = beta2 * (1 - Math.pow(beta2, step - 1)) / (1 - Math.pow(beta2, step));
    Cell first = (i, j) -> keep1 * oldM.get(0, j) + (1 - keep1) * oldG.get(0, j);
    Cell firstSize =
        (i, j) -> Math.abs(keep1 * oldM.get(0, j)) + Math.abs((1 - keep1) * oldG.get(0, j));
    // 1 - keep in float is off by a rounding of keep, not of the difference.
    Cell firstBound = (i, j) -> gamma * (firstSize.at(0, j) + keep1 * Math.abs(oldG.get(0, j)));
    Matrices.assertClose(m, first, firstBound, "first moment");
    Cell square = (i, j) -> (double) oldG.get(0, j) * oldG.get(0, j);
    Cell second = (i, j) -> keep2 * oldV.get(0, j) + (1 - keep2) * square.at(0, j);
    Cell secondBound = (i, j) -> gamma * (second.at(0, j) + keep2 * square.at(0, j));
    Matrices.assertClose(v, second, secondBound, "second moment");
    double sum = 0;
    for (int j = 0; j < n; j++) {
      sum += square.at(0, j) / Math.max(v.get(0, j), (double) eps * eps);
    }
    double expected = n == 0 ? 0 : Math.sqrt(sum / n);
    assertThat(rms)
        .isCloseTo(expected, within(expected * RowOperation.gamma(Math.min(n, 4096) + 10)));
    Cell update = (i, j) -> rate * m.get(0, j) / (Math.sqrt(v.get(0, j)) + eps);
    Cell kept = (i, j) -> oldW.get(0, j) * (1 - (double) decay);
    Matrices.assertClose(
        w,
        (i, j) -> kept.at(0, j) - update.at(0, j),
        (i, j) -> gamma * (Math.abs(kept.at(0, j)) + Math.abs(update.at(0, j))),
        "weights");
    assertThat(Matrices.content(g)).isEqualTo(Matrices.content(oldG));
  }

  /** Over several runs; elements past n do not count and stay. */
  @ParameterizedTest
  @MethodSource("setups")
  void sumsOfSquaresAndScaling(Setup setup) {
    Elementwise ops = setup.kernels().elementwise();
    for (int n : new int[] {0, 1, 7, 16, 33, 4096, 4097, 40_001}) {
      FloatMatrix x = dense(n + 3, n, Values.GAUSSIAN);
      double sum = 0;
      for (int j = 0; j < n; j++) {
        sum += (double) x.get(0, j) * x.get(0, j);
      }
      assertThat(ops.sumOfSquares(x.data(), n))
          .isCloseTo(sum, within(sum * RowOperation.gamma(Math.min(n, 4096) + 1)));
      FloatMatrix scaled = Matrices.copy(x);
      ops.scale(scaled.data(), n, 0.3f);
      for (int j = 0; j < n + 3; j++) {
        assertThat(scaled.get(0, j)).isEqualTo(j < n ? 0.3f * x.get(0, j) : x.get(0, j));
      }
    }
  }

  /** Elements past n are not touched, and a NaN in a gradient spoils its own parameter only. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void adamWKeepsToItself(String backend) {
    int n = 37;
    float[][] clean = {start(n + 3), start(n + 3), start(n + 3), new float[n + 3]};
    float[][] spoiled = {start(n + 3), start(n + 3), start(n + 3), new float[n + 3]};
    spoiled[1][5] = Float.NaN;
    float[] before = start(n + 3);

    step(backend, clean, n, 1);
    step(backend, spoiled, n, 1);

    for (int which : new int[] {0, 2, 3}) {
      assertThat(spoiled[which][5]).isNaN();
      spoiled[which][5] = clean[which][5];
      assertThat(spoiled[which]).isEqualTo(clean[which]);
    }
    assertThat(Arrays.copyOfRange(clean[0], n, n + 3))
        .isEqualTo(Arrays.copyOfRange(before, n, n + 3));
    assertThat(clean[0][0]).isNotEqualTo(before[0]);
  }

  /** A gradient whose square is beyond float, but not its share in the moment. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void adamWSurvivesLargeGradients(String backend) {
    float[][] arrays = {new float[40], new float[40], new float[40], new float[40]};
    Arrays.fill(arrays[1], 1e20f);

    step(backend, arrays, 40, 1_000_000);

    for (int i = 0; i < 40; i++) {
      // lr m / sqrt v, with m = 0.1 g, v = 0.001 g^2, and nothing left to correct
      assertThat((double) arrays[0][i]).isCloseTo(-0.01 * Math.sqrt(10), within(1e-6));
    }
  }

  private static void step(String backend, float[][] arrays, int n, int step) {
    Setup.serial(backend)
        .elementwise()
        .adamW(
            arrays[0], arrays[1], arrays[2], arrays[3], n, step, 0.01f, 0.9f, 0.999f, 1e-8f, 0.1f);
  }

  private static FloatMatrix dense(int n, long seed, Values values) {
    FloatMatrix m = FloatMatrix.allocate(1, n);
    long key = new CounterRandom(seed).key(0);
    for (int j = 0; j < n; j++) {
      m.set(0, j, values.at(key, j));
    }
    return m;
  }
}
