package dev.switchyard.kernels;

import static java.util.stream.Collectors.toList;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.switchyard.kernels.Matrices.Values;
import dev.switchyard.kernels.ProductCase.Kind;
import dev.switchyard.kernels.ProductCase.Shape;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kind and form of product on every backend against naive sums, over odd shapes. */
class ProductTest {
  private static final int[] SIZES = {
    0, 1, 2, 3, 5, 7, 11, 12, 13, 16, 17, 31, 32, 33, 63, 64, 65, 97, 127, 129
  };

  static Stream<Arguments> configurations() {
    return Stream.concat(onOneThread(), onTwoThreads());
  }

  static Stream<Arguments> onOneThread() {
    return configurations(1, Kind.values());
  }

  static Stream<Arguments> onTwoThreads() {
    return configurations(2, Kind.values());
  }

  /** Those of the backends whose panels are arrays of floats in the order of their elements. */
  static Stream<Arguments> arrayConfigurations() {
    return onOneThread().filter(a -> !((Setup) a.get()[2]).backend().startsWith("x86"));
  }

  static Stream<Arguments> int8Configurations() {
    return configurations(1, Kind.INT8, Kind.INT8_SUMS);
  }

  private static Stream<Arguments> configurations(int threads, Kind... kinds) {
    return Arrays.stream(kinds)
        .flatMap(kind -> Arrays.stream(Form.values()).map(form -> List.of(kind, form)))
        .flatMap(
            p ->
                Setup.all()
                    .filter(setup -> setup.threads() == threads)
                    .map(setup -> Arguments.of(p.get(0), p.get(1), setup)));
  }

  /**
   * Each size in each place, random triples, and all pairs around the edges of tiles and blocks.
   */
  private static List<Shape> shapes() {
    List<Shape> shapes = new ArrayList<>();
    int n = SIZES.length;
    for (int i = 0; i < n; i++) {
      shapes.add(new Shape(SIZES[i], SIZES[(i + 7) % n], SIZES[(i + 13) % n]));
    }
    long key = new CounterRandom(2).key(0);
    for (int i = 0; i < 40; i++) {
      int[] pick = new int[3];
      for (int j = 0; j < 3; j++) {
        pick[j] = SIZES[Math.floorMod(CounterRandom.bits(key, 3 * i + j), n)];
      }
      shapes.add(new Shape(pick[0], pick[1], pick[2]));
    }
    for (int m : new int[] {11, 12, 13, 23, 24, 25}) {
      for (int cols : new int[] {7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65}) {
        shapes.add(new Shape(m, cols, 4 + m % 3));
      }
    }
    return shapes;
  }

  /** A third of them, another for each kind and form. */
  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("onOneThread")
  void oddShapes(Kind kind, Form form, Setup setup) {
    List<Shape> all = shapes();
    int first = Math.floorMod((kind.name() + form.name()).hashCode(), 3);
    check(
        kind,
        form,
        setup,
        IntStream.range(0, all.size())
            .filter(i -> (i + first) % 3 == 0)
            .mapToObj(all::get)
            .toList());
  }

  @Tag("full")
  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("onOneThread")
  void allOddShapes(Kind kind, Form form, Setup setup) {
    check(kind, form, setup, shapes());
  }

  /** Of which most are too small to be shared. */
  @Tag("full")
  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("onTwoThreads")
  void shared(Kind kind, Form form, Setup setup) {
    allOddShapes(kind, form, setup);
    longSums(kind, form, setup);
  }

  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("onOneThread")
  void longSums(Kind kind, Form form, Setup setup) {
    check(
        kind,
        form,
        setup,
        IntStream.of(511, 512, 513, 1023, 1025, 1039, 1040, 1041, 1535, 1537, 2048, 5001)
            .mapToObj(k -> new Shape(2 + k % 2, 3 + k % 5, k))
            .collect(toList()));
  }

  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("configurations")
  void wideAndTallResults(Kind kind, Form form, Setup setup) {
    check(
        kind,
        form,
        setup,
        Stream.of(95, 96, 97, 191, 193, 1023, 1025, 3000)
            .flatMap(size -> Stream.of(new Shape(2, size, 3), new Shape(size, 5, 4)))
            .collect(toList()));
  }

  /** Float kinds twice: gaussian values within the bound, and small integers exactly. */
  private static void check(Kind kind, Form form, Setup setup, List<Shape> shapes) {
    Kernels kernels = setup.kernels();
    PackedMatrix buffer = new PackedMatrix(); // its old content must not matter
    for (int i = 0; i < shapes.size(); i++) {
      // 5 i goes through all epilogues, storages and scalings.
      ProductCase.random(kind, form, shapes.get(i), 5L * i).check(kernels, buffer);
      if (kind.type != ElementType.INT8) {
        ProductCase.random(kind, form, shapes.get(i), 5L * i, Values.INTEGERS)
            .check(kernels, buffer);
      }
    }
  }

  /** The largest sums of the longest int8 product, either sign, are exact. */
  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("int8Configurations")
  void longestInt8SumOfTheLargestValues(Kind kind, Form form, Setup setup) {
    int k = Kernels.MAX_INT8_INNER;
    QuantizedMatrix a = extreme(form == Form.TN, 2, k);
    QuantizedMatrix b = extreme(form != Form.NT, 3, k);
    ProductCase.of(kind, form, a, b, 0).check(setup.kernels(), new PackedMatrix());
  }

  /** 127 everywhere, with rows of -127 among the outer dimension. */
  private static QuantizedMatrix extreme(boolean transposed, int outer, int inner) {
    return Matrices.quantized(
        transposed ? inner : outer,
        transposed ? outer : inner,
        transposed ? Scaling.COLUMN : Scaling.ROW,
        1,
        (i, j) -> (transposed ? j : i) % 2 == 0 ? 127 : -127);
  }

  static Stream<Arguments> floatConfigurations() {
    return configurations(1, Kind.FLOAT32, Kind.BFLOAT16);
  }

  /** Float products take operands of any storage: floats, bfloat16, or int8 with any scaling. */
  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("floatConfigurations")
  void anyStorageOfOperands(Kind kind, Form form, Setup setup) {
    Kernels kernels = setup.kernels();
    int size = 37;
    int k = 41;
    List<Matrix> lefts = form == Form.TN ? stored(k, size) : stored(size, k);
    List<Matrix> rights = form == Form.NT ? stored(size, k) : stored(k, size);
    long seed = 0;
    for (Matrix a : lefts) {
      for (Matrix b : rights) {
        ProductCase.of(kind, form, a, b, seed++).check(kernels, new PackedMatrix());
      }
    }
  }

  /**
   * Element (k, j) at {@code (j / panelCols * inner + k) * panelCols + j % panelCols}, and zeros
   * past the last column.
   */
  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("arrayConfigurations")
  void panelsHoldTheOperandAndZeros(Kind kind, Form form, Setup setup) {
    PackedMatrix p = new PackedMatrix();
    for (int size : new int[] {97, 33, 15, 50, 1}) {
      int k = 2 * size + 3;
      int rows = form == Form.NT ? size : k;
      int cols = form == Form.NT ? k : size;
      Matrix b =
          kind.type == ElementType.INT8
              ? Matrices.quantized(rows, cols, Scaling.TENSOR, size)
              : Matrices.gaussian(rows, cols, size);
      double[] values = Matrices.values(b, kind.type);

      setup.kernels().pack(kind.type, form, b, p);

      assertThat(p.panelCount() * p.panelCols()).isGreaterThanOrEqualTo(size);
      for (int i = 0; i < p.panelCount() * p.panelCols() * k; i++) {
        int row = i / p.panelCols() % k;
        int col = i / p.panelCols() / k * p.panelCols() + i % p.panelCols();
        int at = form == Form.NT ? col * k + row : row * size + col;
        double expected = col < size ? values[at] : 0;
        if (p.array()[i] != expected) {
          fail("(%d, %d) of %s is %s, not %s", row, col, b.shape(), p.array()[i], expected);
        }
      }
    }
  }

  private static List<Matrix> stored(int rows, int cols) {
    FloatMatrix m = Matrices.gaussian(rows, cols, rows);
    List<Matrix> all = new ArrayList<>(List.of(m, Matrices.toBfloat16(m)));
    for (Scaling scaling : Scaling.values()) {
      all.add(Matrices.quantized(rows, cols, scaling, cols));
    }
    return all;
  }
}
