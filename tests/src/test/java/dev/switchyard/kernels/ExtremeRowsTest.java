package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Matrices.Cell;
import dev.switchyard.kernels.Matrices.Values;
import dev.switchyard.kernels.RowOperation.Inputs;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each operation on rows of finite numbers of every size, against double precision. */
class ExtremeRowsTest {
  /** A kind of row: {@code scale z + shift} for normal z, rounded to float. */
  enum Rows {
    NORMAL(1, 0),
    SUBNORMAL(3e-39f, 0),
    TINY(1e-30f, 0),
    LARGE(1e19f, 0),
    HUGE(2e37f, 0),
    FAR_FROM_ZERO(1e-3f, 1e4f),
    FURTHER_FROM_ZERO(1, -1e7f),
    SMALL_SPREAD(1e-3f, 1),
    CONSTANT(0, Float.MAX_VALUE),
    OPPOSITE(3e38f, 0) {
      @Override
      float at(long key, int j) {
        return j % 3 == 1 ? 3e38f : -3e38f;
      }
    },
    SUBNORMAL_CONSTANT(0, 1.4e-45f),
    ZERO(0, 0);

    private final float scale;
    private final float shift;

    Rows(float scale, float shift) {
      this.scale = scale;
      this.shift = shift;
    }

    FloatMatrix of(int cols, long seed) {
      return of(2, cols, seed);
    }

    FloatMatrix of(int rows, int cols, long seed) {
      return Matrices.random(rows, cols, seed, this::at);
    }

    /** With a few that are far out. */
    float at(long key, int j) {
      float z = (j % 17 == 3 ? 3 : 1) * Math.clamp(Values.GAUSSIAN.at(key, j), -2f, 2f);
      return (float) ((double) scale * z + shift);
    }

    float largest() {
      return 6 * scale + Math.abs(shift);
    }
  }

  static Stream<Arguments> all() {
    return Setup.BACKENDS.stream()
        .flatMap(b -> Arrays.stream(Rows.values()).map(rows -> Arguments.of(b, rows)));
  }

  @ParameterizedTest
  @MethodSource("all")
  void everyOperationIsRight(String backend, Rows rows) {
    for (int cols : new int[] {1, 4, 37, 130}) {
      for (RowOperation op : RowOperation.values()) {
        FloatMatrix x = rows.of(cols, cols);
        if (op == RowOperation.SOFTMAX_BACKWARD) {
          Setup.serial("reference").elementwise().softmax(x, 1, new float[4], 0);
        }
        if (op == RowOperation.DROPOUT && rows.largest() > 1e38f) {
          continue; // what stays is beyond float
        }
        FloatMatrix y = Matrices.gaussian(2, cols, 3);
        for (float scale : new float[] {1, 0.37f, -0.5f, 3e38f}) {
          Inputs in = Inputs.of(x, y, scale);
          if (op == RowOperation.LAYER_NORM) {
            checkLayerNorm(backend, in);
          } else {
            ElementwiseTest.check(Setup.serial(backend).elementwise(), op, in);
          }
        }
      }
    }
  }

  /** What goes back from rows of every size, where float holds it. */
  @ParameterizedTest
  @MethodSource("all")
  void gradientsOfEverySizeGoBack(String backend, Rows gradients) {
    Elementwise e = Setup.serial(backend).elementwise();
    for (Rows rows : Rows.values()) {
      for (int cols : new int[] {1, 4, 37, 130}) {
        for (RowOperation op : RowOperation.values()) {
          if (!op.overY) {
            continue;
          }
          FloatMatrix x = rows.of(cols, cols);
          if (op == RowOperation.SOFTMAX_BACKWARD) {
            Setup.serial("reference").elementwise().softmax(x, 1, new float[4], 0);
          }
          ElementwiseTest.check(e, op, Inputs.of(x, gradients.of(cols, cols + 1), 0.5f));
        }
      }
    }
  }

  /**
   * A mean of a float sum is off by the rounding of 130 terms of its own size, of which the kernels
   * allow 16 standard deviations; there is no such error where it shows.
   */
  private static void checkLayerNorm(String backend, Inputs in) {
    int cols = in.x().cols();
    FloatMatrix y = Matrices.blank(2, cols, 4);
    RowOperation.LAYER_NORM.run(Setup.serial(backend).elementwise(), in, y);
    double[][] values = new double[2][cols];
    for (int i = 0; i < 2; i++) {
      RowOperation.LAYER_NORM.expect(in, i, values[i], new double[cols]);
    }
    Cell bound =
        (i, j) -> {
          double ofNormalized = Math.abs(values[i][j] - in.beta()[j]) + Math.abs(in.gamma()[j]);
          double ofRstd = Float.MIN_VALUE / new RowOperation.Moments(in, i).rstd;
          return (16 * RowOperation.gamma(cols + 1) + ofRstd) * ofNormalized
              + RowOperation.U * Math.abs(values[i][j]);
        };
    Matrices.assertClose(y, (i, j) -> values[i][j], bound, "layer norm");
  }

  /** The parameter gradients of layer norm, whose statistics are its own. */
  @ParameterizedTest
  @MethodSource("all")
  void layerNormGoesBackWithItsOwnStatistics(String backend, Rows rows) {
    int cols = 130;
    Elementwise e = Setup.serial(backend).elementwise();
    Inputs in = Inputs.of(rows.of(cols, 1), Matrices.gaussian(2, cols, 2), 1);
    Inputs exact = in.copy();
    RowOperation.LAYER_NORM.run(e, in, Matrices.blank(2, cols, 3));
    float[] gains = new float[cols];
    e.layerNormParameterGradients(in.x(), in.stats(), in.y(), gains, new float[cols]);
    FloatMatrix gx = Matrices.blank(2, cols, 5);
    RowOperation.LAYER_NORM_BACKWARD.run(e, in, gx);

    double[] expected = new double[cols];
    for (int i = 0; i < 2; i++) {
      double[] values = new double[cols];
      RowOperation.LAYER_NORM_BACKWARD.expect(exact, i, values, new double[cols]);
      double largest = 0;
      for (double value : values) {
        largest = Math.max(largest, Math.abs(value));
      }
      // What is nothing but rounding, such as the gradient of a constant row, is as large as rstd.
      largest = Math.max(largest, exact.stats()[3 * i + 1]);
      for (int j = 0; j < cols; j++) {
        assertThat((double) gx.get(i, j)).isCloseTo(values[j], within(3e-4 * largest));
        double centred = exact.x().get(i, j) - (double) exact.stats()[3 * i];
        double normalized = centred * exact.stats()[3 * i + 1] + exact.stats()[3 * i + 2];
        expected[j] += exact.y().get(i, j) * normalized;
      }
    }
    for (int j = 0; j < cols; j++) {
      assertThat((double) gains[j]).isCloseTo(expected[j], within(1e-3));
    }
  }

  /** Sums down columns are the naive loop's, in float, whatever is in between. */
  @ParameterizedTest
  @MethodSource("all")
  void columnsAreThoseOfTheNaiveLoop(String backend, Rows rows) {
    int cols = 37;
    for (int threads : new int[] {1, 2}) {
      Elementwise e = new Setup(backend, threads).kernels().elementwise();
      FloatMatrix x = rows.of(9, cols, 1);
      for (Rows others : Rows.values()) {
        FloatMatrix y = others.of(9, cols, 2);
        float[] factors = y.rowRange(0, 1).toArray();
        float[] sums = new float[cols];
        float[] dots = new float[cols];
        FloatMatrix scaled = FloatMatrix.allocate(9, cols);
        FloatMatrix expected = FloatMatrix.allocate(9, cols);
        float[] expectedSums = new float[cols];
        float[] expectedDots = new float[cols];
        for (int i = 0; i < 9; i++) {
          for (int j = 0; j < cols; j++) {
            expectedSums[j] += x.get(i, j);
            expectedDots[j] += x.get(i, j) * y.get(i, j);
            expected.set(i, j, x.get(i, j) * factors[j]);
          }
        }

        e.addColumnSums(x, sums);
        e.addColumnDots(x, y, dots);
        e.scaleColumns(x, factors, scaled);

        assertThat(sums).isEqualTo(expectedSums);
        assertThat(dots).isEqualTo(expectedDots);
        assertThat(scaled.data()).isEqualTo(expected.data());
        float[] all = x.toArray();
        e.scale(all, all.length, factors[0]);
        float[] expectedAll = x.toArray();
        for (int k = 0; k < all.length; k++) {
          expectedAll[k] *= factors[0];
        }
        assertThat(all).isEqualTo(expectedAll);
      }
    }
  }

  /** Rows that pass on, and what goes back from them. */
  @ParameterizedTest
  @MethodSource("all")
  void mixesOfEverySize(String backend, Rows rows) {
    int cols = 37;
    IndexedRows ops = Setup.serial(backend).indexedRows();
    int[] index = {0, 1, 2};
    for (float[] gates : new float[][] {{0.3f, 0.9f, 1}, {0, 1e-9f, 0.5f}}) {
      for (Rows others : Rows.values()) {
        for (Rows gradients : Rows.values()) {
          FloatMatrix x = rows.of(3, cols, 1);
          FloatMatrix b = others.of(3, cols, 2);
          FloatMatrix a = gradients.of(3, cols, 3);
          FloatMatrix y = FloatMatrix.allocate(3, cols);
          ops.mix(x, b, index, gates, a, 0.37f, y);
          FloatMatrix gx = FloatMatrix.allocate(3, cols);
          FloatMatrix gb = FloatMatrix.allocate(3, cols);
          float[] ofGates = new float[3];
          ops.mixBackward(a, x, b, index, gates, gx, gb, ofGates);
          for (int i = 0; i < 3; i++) {
            double m = gates[i];
            double along = 0;
            double size = 0;
            for (int j = 0; j < cols; j++) {
              double kept = (1 - m) * x.get(i, j);
              double passed = m * b.get(i, j);
              double added = (double) 0.37f * a.get(i, j);
              double terms = Math.abs(kept) + Math.abs(passed) + Math.abs(added);
              assertRounded(y.get(i, j), kept + passed + added, 4 * RowOperation.U * terms);
              double g = a.get(i, j);
              assertRounded(gx.get(i, j), (1 - m) * g, 2 * RowOperation.U * Math.abs(g));
              assertRounded(gb.get(i, j), m * g, RowOperation.U * Math.abs(g));
              double term = g * ((double) b.get(i, j) - x.get(i, j));
              along += term;
              size += Math.abs(term) + Float.MIN_VALUE * Math.abs(g);
            }
            double bound = RowOperation.gamma(cols + 2) * size + cols * Float.MIN_VALUE;
            assertRounded(ofGates[i], along, bound);
          }
        }
      }
    }
  }

  private static void assertRounded(float actual, double expected, double bound) {
    boolean close = Math.abs(actual - expected) <= bound + 2 * Float.MIN_VALUE;
    if (!close && actual != (float) expected) {
      fail("%s should be %s within %s", actual, expected, bound);
    }
  }

  /** A statistic of no columns is no number, and none is left from before. */
  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void statisticsOfNothing(Setup setup) {
    Elementwise e = setup.kernels().elementwise();
    FloatMatrix x = FloatMatrix.allocate(3, 0);
    float[] stats = new float[10];
    e.layerNorm(x, new float[0], new float[0], 1e-5f, x, stats);
    assertThat(Arrays.copyOf(stats, 9)).containsOnly(Float.NaN);
    assertThat(stats[9]).isZero();
    e.layerNormBackward(x, new float[0], stats, x, x);
    e.layerNormParameterGradients(x, stats, x, new float[0], new float[0]);
    float[] normalizers = new float[8];
    e.softmax(x, 0.5f, normalizers, 1);
    assertThat(Arrays.copyOfRange(normalizers, 1, 7)).containsOnly(Float.NEGATIVE_INFINITY);
    assertThat(normalizers[0] + normalizers[7]).isZero();
    e.softmaxFromNormalizers(x, 0.5f, normalizers, 1);
  }

  /** What a mask has set to -Infinity weighs nothing, and changes nothing for the others. */
  @ParameterizedTest
  @MethodSource("all")
  void softmaxOfMinusInfinityIsZero(String backend, Rows rows) {
    Elementwise e = Setup.serial(backend).elementwise();
    for (int cols : new int[] {2, 7, 37, 130}) {
      FloatMatrix x = rows.of(cols, cols);
      FloatMatrix masked = Matrices.blank(2, 2 * cols, 1);
      for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2 * cols; j++) {
          masked.set(i, j, j % 2 == 0 ? x.get(i, j / 2) : Float.NEGATIVE_INFINITY);
        }
      }
      FloatMatrix again = Matrices.copy(masked);
      float[] normalizers = new float[4];
      e.softmax(masked, 0.37f, normalizers, 0);
      e.softmaxFromNormalizers(again, 0.37f, normalizers, 0);
      e.softmax(x, 0.37f, new float[4], 0);
      for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2 * cols; j++) {
          double expected = j % 2 == 0 ? x.get(i, j / 2) : 0;
          assertThat((double) masked.get(i, j)).isCloseTo(expected, within(expected * 2e-5));
          assertThat((double) again.get(i, j)).isCloseTo(expected, within(expected * 2e-5));
        }
      }
    }
  }

  /** A row that is all -Infinity has no softmax: it is NaN, and so are its normalizers. */
  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void softmaxOfNothingIsNaN(Setup setup) {
    FloatMatrix x = FloatMatrix.allocate(2, 19);
    Arrays.fill(x.data(), 0, 19, Float.NEGATIVE_INFINITY);
    float[] normalizers = new float[4];
    setup.kernels().elementwise().softmax(x, 1, normalizers, 0);
    assertThat(Arrays.copyOf(x.data(), 19)).containsOnly(Float.NaN);
    assertThat(normalizers[1]).isNaN();
    assertThat(normalizers[3]).isCloseTo((float) Math.log(19), within(1e-6f));
  }

  /** The first step of both optimizers, whose update is {@code g / (|g| + eps)} at any size. */
  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void optimizersTakeGradientsOfEverySize(Setup setup) {
    int n = 40_003;
    Elementwise ops = setup.kernels().elementwise();
    for (float size :
        new float[] {9.8e-45f, 1e-38f, 1e-30f, 1e-20f, 1e-8f, 1, 1e10f, 1e17f, 4e18f, 1e20f}) {
      float[] g = new float[n];
      long key = new CounterRandom(4).key(0);
      for (int i = 0; i < n; i++) {
        g[i] = size * Math.clamp(Values.GAUSSIAN.at(key, i), -4f, 4f);
      }
      float[] ofAdam = new float[n];
      ops.adamW(ofAdam, g, new float[n], new float[n], n, 1, 1, 0.9f, 0.999f, 1e-8f, 0);
      checkFirstUpdate(ofAdam, g, 1e-8, "AdamW");
      if (size > 1e19f) { // the moment of StableAdamW is the square
        continue;
      }
      float[] ofStable = new float[n];
      float[] m = new float[n];
      float[] v = new float[n];
      double rms = ops.stableAdamWMoments(g, m, v, n, 1, 0.9f, 0.99f, 1e-6f);
      ops.stableAdamWUpdate(ofStable, m, v, n, 0, 1, 1e-6f);
      double squares = 0;
      for (int i = 0; i < n; i++) {
        double square = (double) g[i] * g[i];
        squares += square / Math.max(square, 1e-12);
      }
      checkFirstUpdate(ofStable, g, 1e-6, "StableAdamW");
      assertThat(rms).isCloseTo(Math.sqrt(squares / n), within(1e-4));
    }
  }

  private static void checkFirstUpdate(float[] w, float[] g, double eps, String optimizer) {
    double tiny = Float.MIN_VALUE / 1e-8; // a moment that is subnormal, over eps
    Matrices.assertClose(
        FloatMatrix.of(w, 1, w.length),
        (i, j) -> -g[j] / (Math.abs((double) g[j]) + eps),
        (i, j) -> 1e-5 + tiny,
        optimizer);
  }

  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void sumsOfSquaresOfEverySize(Setup setup) {
    for (int n : new int[] {1, 7, 37, 4096, 9001}) {
      for (float size :
          new float[] {
            0, 1.4e-45f, 1e-38f, 1e-30f, 1e-18f, 1e-14f, 1, 1e17f, 1e19f, 1e25f, 5e37f
          }) {
        float[] x = new float[n];
        long key = new CounterRandom(5).key(n);
        double sum = 0;
        for (int i = 0; i < n; i++) {
          x[i] = size * Math.clamp(Values.GAUSSIAN.at(key, i), -4f, 4f);
          sum += (double) x[i] * x[i];
        }
        assertThat(setup.kernels().elementwise().sumOfSquares(x, n))
            .as("%d elements of %s", n, size)
            .isCloseTo(sum, within(sum * RowOperation.gamma(Math.min(n, 4096) + 1)));
      }
    }
  }
}
