package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.SparseMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Outliers and their products: against plain loops in double precision, over views with gaps. */
class OutliersTest {
  private static final double U = 0x1p-24;
  private static final float FACTOR = 2.5f;

  private final Outliers reference = Setup.serial("reference").outliers();

  private interface Check {
    void run(int rows, int cols);
  }

  private static void eachShape(Check check) {
    for (int rows : new int[] {0, 1, 2, 7, 67}) {
      for (int cols : new int[] {0, 1, 3, 15, 16, 17, 31, 33, 128, 389}) {
        check.run(rows, cols);
      }
    }
  }

  /** Normal values, every 13th of them five times as large. */
  private static FloatMatrix spiky(int rows, int cols, long seed) {
    FloatMatrix x = Matrices.gaussian(rows, cols, seed);
    for (int i = 0; i < rows; i++) {
      for (int j = i % 13; j < cols; j += 13) {
        x.set(i, j, 5 * x.get(i, j));
      }
    }
    return x;
  }

  /** The matrix as it is without the zeros left out. */
  private static float[][] dense(SparseMatrix sparse) {
    float[][] rows = new float[sparse.rows()][sparse.cols()];
    for (int i = 0; i < rows.length; i++) {
      for (int k = sparse.begin(i); k < sparse.end(i); k++) {
        rows[i][sparse.columns()[k]] = sparse.values()[k];
      }
    }
    return rows;
  }

  private static double bound(FloatMatrix x, int row) {
    double squares = 0;
    for (int j = 0; j < x.cols(); j++) {
      squares += (double) x.get(row, j) * x.get(row, j);
    }
    return FACTOR * Math.sqrt(squares / x.cols());
  }

  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void splitsAtTheBoundOfEachRow(Setup setup) {
    SparseMatrix outliers = new SparseMatrix(); // one for all, as it grows and is filled again
    eachShape(
        (rows, cols) -> {
          FloatMatrix x = spiky(rows, cols, 1);
          FloatMatrix rest = Matrices.blank(rows, cols, 2);
          setup.kernels().outliers().split(x, FACTOR, outliers, rest);
          float[][] above = dense(outliers);
          assertThat(above).hasNumberOfRows(rows);
          for (int i = 0; i < rows; i++) {
            assertThat(outliers.end(i) - outliers.begin(i)).isLessThanOrEqualTo(cols * 4 / 25);
            for (int j = 0; j < cols; j++) {
              boolean isOutlier = above[i][j] != 0;
              assertThat(isOutlier ? above[i][j] : rest.get(i, j)).isEqualTo(x.get(i, j));
              assertThat(isOutlier ? rest.get(i, j) : above[i][j]).isZero();
              // No value of these is nearer to its bound than rounding is.
              assertThat(isOutlier).isEqualTo(Math.abs(x.get(i, j)) > bound(x, i));
            }
          }
          Matrices.assertGapsUntouched(rest, "split");

          FloatMatrix same = Matrices.copy(x);
          setup.kernels().outliers().split(same, FACTOR, outliers, same);
          Matrices.assertSameBits(same, rest, "split in place");
          assertThat(dense(outliers)).isDeepEqualTo(above);
        });
  }

  /** In rows so long that their ends are beyond int, which takes no memory to find out. */
  @ParameterizedTest
  @ValueSource(ints = {Integer.MAX_VALUE, Integer.MAX_VALUE - 7})
  void rowsBeyondAnArrayAreRefused(int cols) {
    SparseMatrix matrix = new SparseMatrix();
    matrix.beginFill(2, cols);
    assertThatIllegalStateException()
        .isThrownBy(() -> matrix.beginRow(0))
        .withMessage(
            "row 0 of a sparse matrix may end at value %d (expected at most 2147483639 in all)",
            cols);
  }

  @Test
  void findsManyOfTheSpikes() {
    FloatMatrix x = spiky(67, 389, 1);
    SparseMatrix outliers = new SparseMatrix();
    reference.split(x, FACTOR, outliers, Matrices.copy(x));
    assertThat(outliers.end(66)).isBetween(67 * 10, 67 * 25); // of 30 spikes a row
  }

  /** Squares of these are beyond float, or below it. */
  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void aPowerOfTwoChangesNoChoice(Setup setup) {
    FloatMatrix x = spiky(3, 389, 3);
    SparseMatrix expected = new SparseMatrix();
    setup.kernels().outliers().split(x, FACTOR, expected, Matrices.blank(3, 389, 4));
    for (float power : new float[] {0x1p-120f, 0x1p-70f, 0x1p70f, 0x1p120f}) {
      FloatMatrix scaled = Matrices.copy(x);
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 389; j++) {
          scaled.set(i, j, power * x.get(i, j));
        }
      }
      SparseMatrix outliers = new SparseMatrix();
      setup.kernels().outliers().split(scaled, FACTOR, outliers, Matrices.blank(3, 389, 4));
      assertThat(outliers.end(2)).isEqualTo(expected.end(2)).isPositive();
      for (int k = 0; k < outliers.end(2); k++) {
        assertThat(outliers.columns()[k]).isEqualTo(expected.columns()[k]);
        assertThat(outliers.values()[k]).isEqualTo(power * expected.values()[k]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void rowsThatAreNotFiniteStayAsTheyAre(Setup setup) {
    for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      FloatMatrix x = spiky(3, 40, 3);
      x.set(1, 17, odd);
      FloatMatrix rest = Matrices.blank(3, 40, 4);
      SparseMatrix outliers = new SparseMatrix();
      setup.kernels().outliers().split(x, FACTOR, outliers, rest);
      assertThat(outliers.end(1)).isEqualTo(outliers.begin(1));
      Matrices.assertSameBits(rest.rowRange(1, 2), x.rowRange(1, 2), "row with " + odd);
      assertThat(outliers.end(0)).isPositive();
      assertThat(outliers.end(2)).isGreaterThan(outliers.begin(2));
    }
  }

  /** A chain of fused multiply-adds: within one rounding a term of the exact sum. */
  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void addsTheProduct(Setup setup) {
    for (int inner : new int[] {0, 1, 40, 389}) {
      eachShape(
          (rows, cols) -> {
            FloatMatrix x = spiky(rows, inner, 5);
            FloatMatrix w = Matrices.gaussian(inner, cols, 6);
            FloatMatrix y = Matrices.gaussian(rows, cols, 7);
            FloatMatrix before = Matrices.copy(y);
            SparseMatrix outliers = new SparseMatrix();
            reference.split(x, 1.5f, outliers, Matrices.copy(x));
            setup.kernels().outliers().addProduct(outliers, w, y);
            float[][] above = dense(outliers);
            Matrices.assertClose(
                y,
                (i, j) -> before.get(i, j) + sum(above[i], w, j, false),
                (i, j) -> inner * U * (Math.abs(before.get(i, j)) + sum(above[i], w, j, true)),
                "product");
            Matrices.assertGapsUntouched(y, "product");

            FloatMatrix other = Matrices.copy(before);
            reference.addProduct(outliers, w, other);
            Matrices.assertSameBits(y, other, "product on the reference backend");
          });
    }
  }

  private static double sum(float[] values, FloatMatrix w, int col, boolean magnitudes) {
    double sum = 0;
    for (int k = 0; k < values.length; k++) {
      double product = (double) values[k] * w.get(k, col);
      sum += magnitudes ? Math.abs(product) : product;
    }
    return sum;
  }

  @Test
  void refusesWhatDoesNotGoTogether() {
    FloatMatrix x = FloatMatrix.allocate(2, 3);
    SparseMatrix outliers = new SparseMatrix();
    assertThatThrownBy(() -> reference.split(x, 0, outliers, x))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("factor is 0.0 (expected more than 0)");
    assertThatThrownBy(() -> reference.split(x, 2, outliers, FloatMatrix.allocate(2, 4)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("rest is 2x4 but x is 2x3 (expected equal)");
    reference.split(x, 2, outliers, x);
    FloatMatrix y = FloatMatrix.allocate(2, 5);
    assertThatThrownBy(() -> reference.addProduct(outliers, FloatMatrix.allocate(4, 5), y))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("outliers are 2x3, w is 4x5 and y is 2x5 (expected w 3x5 and y 2x5)");
    assertThatThrownBy(() -> reference.addProduct(outliers, FloatMatrix.allocate(3, 4), y))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("outliers are 2x3, w is 3x4 and y is 2x5 (expected w 3x4 and y 2x4)");
  }
}
