package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.Matrices.Values;
import dev.switchyard.kernels.ProductCase.Kind;
import dev.switchyard.kernels.ProductCase.Shape;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.PeakLoop;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every set of instructions that this processor has, on shapes drawn at random. */
class EmittedPathsTest {
  private static final int SHAPES = Integer.getInteger("switchyard.fuzz.shapes", 40);

  private static final List<String> PATHS =
      Stream.of("x86-amx", "x86-avx512", "x86-avx_vnni", "x86-avx2")
          .filter(EmittedPathsTest::runs)
          .toList();

  private static boolean runs(String path) {
    try {
      BackendChoice.named(path);
      return true;
    } catch (IllegalStateException e) {
      assertThat(e).hasMessageContaining("asks for instructions that");
      return false;
    }
  }

  static Stream<Arguments> products() {
    return PATHS.stream()
        .flatMap(
            path ->
                Arrays.stream(Kind.values())
                    .flatMap(
                        kind ->
                            Arrays.stream(Form.values())
                                .map(form -> Arguments.of(path, kind, form))));
  }

  static List<String> paths() {
    return PATHS;
  }

  @Test
  void theAutomaticChoiceIsTheBestOfThem() {
    assertThat(PATHS).isNotEmpty();
    assertThat(BackendChoice.named("x86").reason())
        .startsWith("x86 (" + PATHS.getFirst().substring("x86-".length()));
  }

  /** Every turn of the loop, as many operations as its instructions have lanes and products. */
  @ParameterizedTest
  @MethodSource("paths")
  void peaksOfAllTypes(String path) {
    boolean wide = path.equals("x86-avx512") || path.equals("x86-amx");
    int lanes = wide ? 16 : 8;
    int sums = wide ? 28 : 12;
    for (ElementType type : ElementType.values()) {
      PeakLoop peak = BackendChoice.named(path).peak(type).orElseThrow();
      if (path.equals("x86-amx") && type != ElementType.FLOAT32) {
        int values = type == ElementType.INT8 ? 64 : 32;
        assertThat(peak.operations() % (2L * 32 * 32 * values)).isZero();
        assertThat(peak.instruction()).endsWith(", 16 x 64 bytes");
        peak.run().run();
        continue;
      }
      long turns = peak.operations() / (2L * lanes * sums);
      int products =
          switch (peak.instruction().substring(0, 6)) {
            case "vpdpbu" -> 4;
            case "vpmadd", "vdpbf1" -> 2;
            default -> 1;
          };
      assertThat(turns).isPositive();
      assertThat(turns % products).isZero();
      assertThat(peak.instruction()).endsWith(", " + lanes * Integer.SIZE + " bits");
      peak.run().run();
    }
    assertThat(BackendChoice.named("reference").peak(ElementType.INT8)).isEmpty();
  }

  /**
   * Around the edges of tiles (32 rows, 14, 6), panels (32 columns, 16), squares, and loops that
   * are unrolled.
   */
  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("products")
  void randomShapes(String path, Kind kind, Form form) {
    Kernels kernels = Setup.on(path, Parallel.serial());
    PackedMatrix buffer = new PackedMatrix();
    Random random = new Random(form.name().hashCode() + 31L * kind.name().hashCode());
    for (int i = 0; i < SHAPES; i++) {
      int longest = i % 10 == 0 ? 2500 : 300;
      Shape shape =
          new Shape(1 + random.nextInt(60), 1 + random.nextInt(70), random.nextInt(longest));
      Values values = i % 2 == 0 ? Values.INTEGERS : Values.GAUSSIAN;
      ProductCase.random(kind, form, shape, i, values).check(kernels, buffer);
    }
  }

  /** Products of 127 and -127 alone: nothing may saturate, and the longest sum just fits. */
  @ParameterizedTest
  @MethodSource("paths")
  void extremeValues(String path) {
    Kernels kernels = Setup.on(path, Parallel.serial());
    for (int inner : new int[] {1, 3, 4, 257, 4099, Kernels.MAX_INT8_INNER}) {
      for (int sign : new int[] {1, -1}) {
        QuantizedMatrix a = filled(3, inner, 127);
        QuantizedMatrix b = filled(5, inner, 127 * sign);
        IntMatrix c = IntMatrix.allocate(3, 5);

        kernels.multiply(Form.NT, a, b, Epilogue.STORE, c);

        assertThat(c.data()).containsOnly(sign * 127 * 127 * inner);
      }
    }
  }

  /** Tiles read whole groups, beyond the end of a row: what stands there counts for nothing. */
  @ParameterizedTest
  @MethodSource("paths")
  void paddingOfTheLeftOperandDoesNotCount(String path) {
    Kernels kernels = Setup.on(path, Parallel.serial());
    for (int inner : new int[] {1, 6, 65, 255}) {
      QuantizedMatrix a = filled(3, inner, 2);
      for (int i = 0; i < a.rows(); i++) {
        int row = i * a.rowStride();
        Arrays.fill(a.data(), row + inner, row + a.rowStride(), (byte) 99);
      }
      for (Form form : new Form[] {Form.NT, Form.NN}) {
        QuantizedMatrix b = form == Form.NT ? filled(5, inner, 3) : filled(inner, 5, 3);
        IntMatrix c = IntMatrix.allocate(3, 5);

        kernels.multiply(form, a, b, Epilogue.STORE, c);

        assertThat(c.data()).as("%s of %d", form, inner).containsOnly(6 * inner);
      }
    }
  }

  /**
   * Around the edges of turns (64 columns, 32), with rows that are rounded and rows that are not.
   */
  @ParameterizedTest
  @MethodSource("paths")
  void randomQuantizations(String path) {
    Kernels kernels = Setup.on(path, Parallel.serial());
    Kernels reference = Setup.on("reference", Parallel.serial());
    Random random = new Random(7);
    for (int i = 0; i < 600; i++) {
      int rows = random.nextInt(i % 50 == 0 ? 600 : 20); // more than a call takes
      int cols = random.nextInt(i % 10 == 0 ? 2000 : 140);
      FloatMatrix x = values(random, rows, cols);
      for (Scaling scaling : Scaling.values()) {
        QuantizedMatrix q = new QuantizedMatrix(scaling);
        QuantizedMatrix expected = new QuantizedMatrix(scaling);
        kernels.quantize(x, Rounding.NEAREST_EVEN, NonFinitePolicy.PROPAGATE, q);
        reference.quantize(x, Rounding.NEAREST_EVEN, NonFinitePolicy.PROPAGATE, expected);

        int elements = rows * q.rowStride();
        int scales = scaling.scales(rows, cols);
        String what = scaling + " " + x.shape();
        assertThat(Arrays.mismatch(q.data(), 0, elements, expected.data(), 0, elements))
            .as("values of %s", what)
            .isNegative();
        assertThat(Arrays.mismatch(q.rowSums(), 0, rows, expected.rowSums(), 0, rows))
            .as("sums of %s", what)
            .isNegative();
        assertThat(Arrays.mismatch(q.scales(), 0, scales, expected.scales(), 0, scales))
            .as("scales of %s", what)
            .isNegative();
      }
    }
  }

  /** Halfway points among them; some rows zero, tiny, infinite or NaN; a view with a stride. */
  private static FloatMatrix values(Random random, int rows, int cols) {
    int stride = cols + random.nextInt(5);
    float[] data = new float[3 + rows * stride];
    FloatMatrix x = new FloatMatrix(data, 3, rows, cols, stride);
    for (int i = 0; i < rows; i++) {
      float size = (float) Math.scalb(1.0, random.nextInt(40) - 20);
      int kind = random.nextInt(16);
      for (int j = 0; j < cols; j++) {
        float value = (random.nextInt(4 * 127 + 1) - 2 * 127) / 2f;
        x.set(i, j, kind == 0 ? 0 : kind == 1 ? value * Float.MIN_VALUE : value * size);
      }
      if (cols > 0 && kind == 2) {
        x.set(i, random.nextInt(cols), random.nextBoolean() ? Float.NaN : Float.NEGATIVE_INFINITY);
      }
    }
    return x;
  }

  private static QuantizedMatrix filled(int rows, int cols, int value) {
    QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
    q.beginFill(rows, cols);
    q.scales()[0] = 1;
    for (int i = 0; i < rows; i++) {
      int from = i * q.rowStride();
      Arrays.fill(q.data(), from, from + cols, (byte) value);
      q.rowSums()[i] = cols * value;
    }
    q.endFill();
    return q;
  }
}
