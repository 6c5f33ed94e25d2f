package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows by their indices: against plain loops in double precision, over views with gaps. */
class IndexedRowsTest {
  private static final double U = 0x1p-24;

  private final IndexedRows reference = Setup.serial("reference").indexedRows();

  /** About one row in three, with gates from 0 to 1, both ends included. */
  private record Choice(int[] index, int count, float[] gates) {
    static Choice of(int rows) {
      int[] some =
          IntStream.range(0, rows).filter(i -> CounterRandom.uniform(rows, i) < 0.35f).toArray();
      float[] gates = new float[some.length + 2];
      for (int j = 0; j < gates.length; j++) {
        gates[j] = Math.clamp(1.5f * CounterRandom.uniform(3, j) - 0.25f, 0, 1);
      }
      // What follows the first count is nobody's business.
      int[] index = Arrays.copyOf(some, some.length + 2);
      index[some.length] = -7;
      return new Choice(index, some.length, gates);
    }

    int of(int row, int otherwise) {
      int at = Arrays.binarySearch(index, 0, count, row);
      return at < 0 ? otherwise : at;
    }
  }

  private interface Check {
    void run(int rows, int cols, Choice choice);
  }

  private static void eachShape(Check check) {
    for (int rows : new int[] {0, 1, 2, 7, 300}) {
      for (int cols : new int[] {0, 1, 3, 15, 16, 17, 31, 33, 128}) {
        check.run(rows, cols, Choice.of(rows));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void gatherTakesTheRows(Setup setup) {
    eachShape(
        (rows, cols, choice) -> {
          FloatMatrix x = Matrices.gaussian(rows, cols, 1);
          FloatMatrix y = Matrices.blank(choice.count, cols, 2);
          setup.kernels().indexedRows().gather(x, choice.index, y);
          Matrices.assertClose(
              y, (j, k) -> x.get(choice.index[j], k), Matrices.Cell.ZERO, "gather");
          Matrices.assertGapsUntouched(y, "gather");
        });
  }

  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void scatterAddsToTheRows(Setup setup) {
    eachShape(
        (rows, cols, choice) -> {
          FloatMatrix x = Matrices.gaussian(choice.count, cols, 1);
          FloatMatrix y = Matrices.gaussian(rows, cols, 2);
          FloatMatrix before = Matrices.copy(y);
          setup.kernels().indexedRows().scatterAdd(x, choice.index, y);
          Matrices.assertClose(
              y,
              (i, k) -> {
                int j = choice.of(i, -1);
                return before.get(i, k) + (j < 0 ? 0 : x.get(j, k));
              },
              Matrices.Cell.ZERO,
              "scatter");
          Matrices.assertGapsUntouched(y, "scatter");
        });
  }

  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void mixFollowsTheFormula(Setup setup) {
    eachShape(
        (rows, cols, choice) -> {
          FloatMatrix x = Matrices.gaussian(rows, cols, 1);
          FloatMatrix a = Matrices.gaussian(rows, cols, 2);
          FloatMatrix b = Matrices.gaussian(choice.count, cols, 3);
          for (float[] gates : new float[][] {choice.gates, null}) {
            FloatMatrix y = Matrices.blank(rows, cols, 4);
            setup.kernels().indexedRows().mix(x, b, choice.index, gates, a, 0.3f, y);
            Matrices.assertClose(
                y,
                (i, k) -> mixed(x, b, choice, gates, i, k) + (double) 0.3f * a.get(i, k),
                (i, k) ->
                    4 * U * (Math.abs(x.get(i, k)) + Math.abs(a.get(i, k)))
                        + 4 * U * Math.abs(choice.of(i, -1) < 0 ? 0 : b.get(choice.of(i, -1), k)),
                "mix");
            Matrices.assertGapsUntouched(y, "mix");
          }
        });
  }

  private static double mixed(
      FloatMatrix x, FloatMatrix b, Choice choice, float[] gates, int i, int k) {
    int j = choice.of(i, -1);
    double m = j < 0 ? 0 : gates == null ? 1 : gates[j];
    return (1 - m) * x.get(i, k) + (m == 0 ? 0 : m * b.get(j, k));
  }

  /** The formula of the Javadoc; the sum over a row within n + 2 roundings of its terms. */
  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void mixBackwardFollowsTheFormula(Setup setup) {
    eachShape(
        (rows, cols, choice) -> {
          FloatMatrix gy = Matrices.gaussian(rows, cols, 1);
          FloatMatrix x = Matrices.gaussian(rows, cols, 2);
          FloatMatrix b = Matrices.gaussian(choice.count, cols, 3);
          for (float[] gates : new float[][] {choice.gates, null}) {
            FloatMatrix gx = Matrices.blank(rows, cols, 4);
            FloatMatrix gb = Matrices.blank(choice.count, cols, 5);
            float[] ggates = new float[choice.count];
            setup
                .kernels()
                .indexedRows()
                .mixBackward(gy, x, b, choice.index, gates, gx, gb, ggates);
            Matrices.assertClose(
                gx,
                (i, k) -> {
                  int j = choice.of(i, -1);
                  return j < 0 ? gy.get(i, k) : (1.0 - gate(gates, j)) * gy.get(i, k);
                },
                (i, k) -> 2 * U * Math.abs(gy.get(i, k)),
                "gx");
            Matrices.assertClose(
                gb,
                (j, k) -> (double) gate(gates, j) * gy.get(choice.index[j], k),
                (j, k) -> U * Math.abs(gy.get(choice.index[j], k)),
                "gb");
            for (int j = 0; j < choice.count; j++) {
              double sum = 0;
              double size = 0;
              for (int k = 0; k < cols; k++) {
                double term =
                    gy.get(choice.index[j], k) * ((double) b.get(j, k) - x.get(choice.index[j], k));
                sum += term;
                size += Math.abs(term);
              }
              assertThat(Math.abs(ggates[j] - sum)).isLessThanOrEqualTo((cols + 2) * U * size);
            }
            Matrices.assertGapsUntouched(gx, "gx");
            Matrices.assertGapsUntouched(gb, "gb");
          }
        });
  }

  private static float gate(float[] gates, int j) {
    return gates == null ? 1 : gates[j];
  }

  /** What is not chosen has no part in the result, not even as 0 times infinity. */
  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void aGateOfOneIsExact(Setup setup) {
    FloatMatrix x = FloatMatrix.allocate(2, 19);
    Arrays.fill(x.data(), Float.POSITIVE_INFINITY);
    FloatMatrix b = Matrices.gaussian(2, 19, 1);
    FloatMatrix zeros = FloatMatrix.allocate(2, 19);
    FloatMatrix y = FloatMatrix.allocate(2, 19);
    setup.kernels().indexedRows().mix(x, b, new int[] {0, 1}, new float[] {1, 1}, zeros, 4, y);
    Matrices.assertSameBits(y, b, "gates of 1");
  }

  @Test
  void indicesAscendAndAreInRange() {
    FloatMatrix x = FloatMatrix.allocate(4, 3);
    FloatMatrix two = FloatMatrix.allocate(2, 3);
    for (int[] wrong : new int[][] {{1, 1}, {2, 1}, {-1, 2}, {0, 4}}) {
      assertThatThrownBy(() -> reference.gather(x, wrong, two))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("they ascend, and there are 4 rows");
      assertThatThrownBy(() -> reference.scatterAdd(two, wrong, x))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> reference.mix(x, two, wrong, null, x, 1, x))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> reference.mixBackward(x, x, two, wrong, null, x, two, null))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> reference.gather(x, new int[] {0}, two))
        .hasMessage("index has 1 elements (expected at least 2)");
  }

  @Test
  void shapesGoTogether() {
    FloatMatrix x = FloatMatrix.allocate(4, 3);
    FloatMatrix two = FloatMatrix.allocate(2, 3);
    FloatMatrix narrow = FloatMatrix.allocate(2, 2);
    int[] index = {0, 2};
    assertThatThrownBy(() -> reference.gather(x, index, narrow))
        .hasMessage("y is 2x2 but x has 3 columns (expected as many)");
    assertThatThrownBy(() -> reference.scatterAdd(narrow, index, x))
        .hasMessage("y is 4x3 but x has 2 columns (expected as many)");
    assertThatThrownBy(() -> reference.mix(x, two, index, null, two, 1, x))
        .hasMessage("a is 2x3 but x is 4x3 (expected equal)");
    assertThatThrownBy(() -> reference.mix(x, two, index, null, x, 1, two))
        .hasMessage("y is 2x3 but x is 4x3 (expected equal)");
    assertThatThrownBy(() -> reference.mix(x, narrow, index, null, x, 1, x))
        .hasMessage("b is 2x2 but x has 3 columns (expected as many)");
    assertThatThrownBy(() -> reference.mix(x, two, index, new float[1], x, 1, x))
        .hasMessage("gates has 1 elements (expected at least 2)");
    assertThatThrownBy(() -> reference.mixBackward(x, x, two, index, null, x, x, null))
        .hasMessage("gb is 4x3 but b is 2x3 (expected equal)");
    assertThatThrownBy(() -> reference.mixBackward(x, x, two, index, null, x, two, new float[1]))
        .hasMessage("ggates has 1 elements (expected at least 2)");
  }
}
