package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.Float8Rounding;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong arguments give a sentence that names them, and nothing is written. */
class BadInputTest {
  private static final Kernels KERNELS = Setup.serial("vector");
  private static final int TOO_LONG = Kernels.MAX_INT8_INNER + 1;

  /** A call that writes to results which are full of canaries. */
  interface Call {
    void run(Results results);
  }

  /** Where calls write: 3 x 5, the shape of the products below unless they say otherwise. */
  record Results(FloatMatrix floats, IntMatrix ints) {
    Results() {
      this(Matrices.blank(3, 5, 1), Matrices.blankInts(3, 5, 1));
    }

    void assertUntouched() {
      assertThat(Matrices.bits(floats.data()))
          .isEqualTo(Matrices.bits(new Results().floats.data()));
      assertThat(ints.data()).isEqualTo(new Results().ints.data());
    }
  }

  static Stream<Arguments> products() {
    FloatMatrix a = Matrices.gaussian(3, 4, 1);
    FloatMatrix b = Matrices.gaussian(5, 4, 2);
    QuantizedMatrix qa = Matrices.quantized(3, 4, Scaling.ROW, 3);
    QuantizedMatrix qb = Matrices.quantized(5, 4, Scaling.ROW, 4);
    return Stream.of(
        refusal(
            "left operand is 3x4 but right operand is 5x3: form NT sums over 4 and 3 (expected"
                + " equal)",
            r -> multiply(Form.NT, a, Matrices.gaussian(5, 3, 1), Epilogue.STORE, r.floats)),
        refusal(
            "left operand is 3x4 but right operand is 5x4: form NN sums over 4 and 5 (expected"
                + " equal)",
            r -> multiply(Form.NN, a, b, Epilogue.STORE, r.floats)),
        refusal(
            "left operand is 3x4 but right operand is 5x4: form TN sums over 3 and 5 (expected"
                + " equal)",
            r -> KERNELS.multiply(Form.TN, columns(qa), columns(qb), Epilogue.STORE, r.ints)),
        refusal(
            "result is 3x5 but the product is 3x4",
            r -> multiply(Form.NT, a, Matrices.gaussian(4, 4, 1), Epilogue.STORE, r.floats)),
        refusal(
            "result is 3x5 but the product is 2x5",
            r ->
                KERNELS.multiply(
                    Form.NT, Matrices.quantized(2, 4, Scaling.ROW, 1), qb, Epilogue.STORE, r.ints)),
        refusal(
            "bias has 4 elements but the product has 5 columns",
            r -> multiply(Form.NT, a, b, Epilogue.bias(new float[4]), r.floats)),
        refusal(
            "left operand of an INT8 product is a FloatMatrix (expected a QuantizedMatrix: call"
                + " quantize first)",
            r -> int8(Form.NT, a, qb, r.floats)),
        refusal(
            "right operand of an INT8 product is a Bfloat16Matrix (expected a QuantizedMatrix: call"
                + " quantize first)",
            r -> int8(Form.NT, qa, Matrices.toBfloat16(b), r.floats)),
        refusal(
            "an int32 result needs an INT8 product without bias (got INT8, a bias)",
            r -> KERNELS.multiply(Form.NT, qa, qb, Epilogue.bias(new float[5]), r.ints)),
        refusal(
            "an int32 result needs an INT8 product without bias (got BFLOAT16, no bias)",
            r -> KERNELS.multiply(qa, packed(ElementType.BFLOAT16, b), Epilogue.STORE, r.ints)),
        refusal(
            "left operand is 3x4 but the packed right operand of form NT sums over 3 (expected 4)",
            r ->
                KERNELS.multiply(
                    a,
                    packed(ElementType.FLOAT32, Matrices.gaussian(5, 3, 1)),
                    Epilogue.STORE,
                    r.floats)),
        refusal(
            "result is 3x5 but the product is 3x6",
            r ->
                KERNELS.multiply(
                    a,
                    packed(ElementType.FLOAT32, Matrices.gaussian(6, 4, 1)),
                    Epilogue.ACCUMULATE,
                    r.floats)),
        refusal(
            "left operand of an INT8 product is a FloatMatrix (expected a QuantizedMatrix: call"
                + " quantize first)",
            r -> KERNELS.multiply(a, packed(ElementType.INT8, qb), Epilogue.STORE, r.floats)),
        refusal(
            "right operand was packed for backend vector but is used on backend reference",
            r ->
                Setup.serial("reference")
                    .multiply(a, packed(ElementType.FLOAT32, b), Epilogue.STORE, r.floats)),
        refusal(
            "right operand of an INT8 product is a FloatMatrix (expected a QuantizedMatrix: call"
                + " quantize first)",
            r -> packed(ElementType.INT8, b)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("products")
  void refusesArgumentsThatDoNotGoTogether(String message, Call call) {
    Results results = new Results();

    assertThatThrownBy(() -> call.run(results))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);

    results.assertUntouched();
  }

  @ParameterizedTest
  @CsvSource({"NT,ROW,ROW", "NN,ROW,COLUMN", "TN,COLUMN,COLUMN"})
  void refusesAScaleAlongTheInnerDimension(Form form, Scaling left, Scaling right) {
    QuantizedMatrix a = Matrices.quantized(4, 4, left, 1);
    QuantizedMatrix b = Matrices.quantized(4, 4, right, 2);
    QuantizedMatrix badA = Matrices.quantized(4, 4, other(left), 3);
    QuantizedMatrix badB = Matrices.quantized(4, 4, other(right), 4);
    FloatMatrix c = Matrices.blank(4, 4, 5);
    int[] before = Matrices.content(c);
    String sentence =
        "%s operand of form %s has scaling %s, along the inner dimension, where a scale cannot be"
            + " factored out (expected %s or TENSOR)";

    int8(form, a, b, FloatMatrix.allocate(4, 4)); // the scalings themselves are right
    assertThatThrownBy(() -> int8(form, badA, b, c))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(sentence, "left", form, other(left), left);
    assertThatThrownBy(() -> int8(form, a, badB, c))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(sentence, "right", form, other(right), right);
    assertThatThrownBy(() -> KERNELS.pack(ElementType.INT8, form, badB, new PackedMatrix()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(sentence, "right", form, other(right), right);
    assertThat(Matrices.content(c)).isEqualTo(before);
  }

  static Stream<Arguments> tooLong() {
    QuantizedMatrix wide = Matrices.quantized(1, TOO_LONG, Scaling.TENSOR, 1, (i, j) -> 1);
    QuantizedMatrix tall = Matrices.quantized(TOO_LONG, 1, Scaling.TENSOR, 1, (i, j) -> 1);
    IntMatrix sums = IntMatrix.allocate(1, 1);
    PackedMatrix packed = new PackedMatrix();
    KERNELS.pack(ElementType.INT8, Form.NT, wide, packed);
    return Stream.of(
        call("NT", () -> KERNELS.multiply(Form.NT, wide, wide, Epilogue.STORE, sums)),
        call("NN", () -> KERNELS.multiply(Form.NN, wide, tall, Epilogue.STORE, sums)),
        call("TN", () -> KERNELS.multiply(Form.TN, tall, tall, Epilogue.STORE, sums)),
        call("packed", () -> KERNELS.multiply(wide, packed, Epilogue.STORE, sums)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("tooLong")
  void refusesInt32SumsThatCouldOverflow(String name, Runnable call) {
    assertThatThrownBy(call::run)
        .as(name)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "an int32 result sums over 131073 elements (expected at most 131072: beyond it the sum"
                + " can overflow; a FloatMatrix takes longer ones)");
  }

  /** Float products have no such limit. */
  @Test
  void floatSumsMayBeLonger() {
    FloatMatrix ones = FloatMatrix.allocate(1, TOO_LONG);
    Arrays.fill(ones.data(), 1);
    FloatMatrix c = FloatMatrix.allocate(1, 1);

    multiply(Form.NT, ones, ones, Epilogue.STORE, c);

    assertThat(c.get(0, 0)).isEqualTo(TOO_LONG);
  }

  static Stream<Arguments> unfilled() {
    QuantizedMatrix never = new QuantizedMatrix(Scaling.TENSOR);
    QuantizedMatrix begun = new QuantizedMatrix(Scaling.TENSOR);
    begun.beginFill(4, 4);
    QuantizedMatrix good = Matrices.quantized(4, 4, Scaling.TENSOR, 1);
    FloatMatrix c = FloatMatrix.allocate(4, 4);
    PackedMatrix packed = new PackedMatrix();
    return Stream.of(
        call("never filled", "0x0", () -> int8(Form.NT, never, good, c)),
        call("left", "4x4", () -> int8(Form.NT, begun, good, c)),
        call("right", "4x4", () -> int8(Form.NT, good, begun, c)),
        call("float product", "4x4", () -> multiply(Form.NT, begun, c, Epilogue.STORE, c)),
        call("pack", "4x4", () -> KERNELS.pack(ElementType.INT8, Form.NT, begun, packed)),
        call("dequantize", "4x4", () -> KERNELS.dequantize(begun, c)),
        call("get", "4x4", () -> begun.get(0, 0)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("unfilled")
  void refusesAQuantizedMatrixThatHoldsNoValues(String name, String shape, Runnable call) {
    assertThatThrownBy(call::run)
        .as(name)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "quantized matrix %s holds no values: it was never filled, or the fill failed", shape);
  }

  @Test
  void refusesAnEmptyPackedMatrix() {
    assertThatThrownBy(
            () ->
                KERNELS.multiply(
                    Matrices.gaussian(3, 4, 1),
                    new PackedMatrix(),
                    Epilogue.STORE,
                    new Results().floats))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("packed matrix is empty: pack an operand into it first");
  }

  @ParameterizedTest
  @EnumSource(
      value = Scaling.class,
      names = {"ROW", "COLUMN"})
  void refusesToPackBothWaysWithSeveralScales(Scaling scaling) {
    assertThatThrownBy(
            () ->
                KERNELS.quantizeAndPack(
                    Matrices.gaussian(3, 4, 1),
                    NonFinitePolicy.REJECT,
                    new QuantizedMatrix(scaling),
                    new PackedMatrix(),
                    new PackedMatrix()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "a weight packed both ways has one scale a %s (expected TENSOR, the only one that can"
                + " be factored out of both products)",
            scaling == Scaling.ROW ? "row" : "column");
  }

  /** Packed matrices that are null or the same are found out before the weight is written. */
  @Test
  void refusesToPackBothWaysIntoLessThanTwo() {
    FloatMatrix w = Matrices.gaussian(3, 4, 1);
    QuantizedMatrix q = Matrices.quantized(5, 6, Scaling.TENSOR, 2);
    int[] before = Matrices.content(q);
    PackedMatrix panels = new PackedMatrix();

    assertThatThrownBy(() -> KERNELS.quantizeAndPack(w, NonFinitePolicy.REJECT, q, panels, panels))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "forward and inputGradient are one packed matrix (expected two: their panels differ)");
    assertThatThrownBy(() -> KERNELS.quantizeAndPack(w, NonFinitePolicy.REJECT, q, null, panels))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("forward");
    assertThatThrownBy(() -> KERNELS.quantizeAndPack(w, NonFinitePolicy.REJECT, q, panels, null))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("inputGradient");

    q.requireFilled();
    assertThat(Matrices.content(q)).isEqualTo(before);
    assertThatThrownBy(panels::type).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesToDequantizeIntoAnotherShape() {
    Results results = new Results();

    assertThatThrownBy(
            () -> KERNELS.dequantize(Matrices.quantized(5, 3, Scaling.ROW, 1), results.floats))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("result is 3x5 but the quantized matrix is 5x3");

    results.assertUntouched();
  }

  @ParameterizedTest
  @CsvSource({
    "-1,3,-1x3",
    "3,-1,3x-1",
    "3,-70,3x-70",
    "65536,65536,65536x65536",
    "2147483647,0,2147483647x0",
    "0,2147483647,0x2147483647"
  })
  void refusesImpossibleQuantizedShapes(int rows, int cols, String shape) {
    QuantizedMatrix q = Matrices.quantized(2, 2, Scaling.COLUMN, 1);

    assertThatThrownBy(() -> q.beginFill(rows, cols))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("quantized matrix " + shape);
    assertThat(q.shape()).isEqualTo("2x2");
  }

  @ParameterizedTest
  @CsvSource({"-1,0", "2,0", "0,-1", "0,2"})
  void refusesQuantizedElementsOutside(int row, int col) {
    QuantizedMatrix q = Matrices.quantized(2, 2, Scaling.ROW, 1);
    String message = "element (" + row + ", " + col + ") is not within 2x2";

    assertThatThrownBy(() -> q.get(row, col))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessage(message);
    assertThatThrownBy(() -> q.scale(row, col))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessage(message);
  }

  static Stream<Arguments> nulls() {
    FloatMatrix m = Matrices.gaussian(4, 4, 1);
    QuantizedMatrix q = Matrices.quantized(4, 4, Scaling.TENSOR, 2);
    FloatMatrix c = FloatMatrix.allocate(4, 4);
    IntMatrix sums = IntMatrix.allocate(4, 4);
    PackedMatrix p = packed(ElementType.FLOAT32, m);
    Epilogue store = Epilogue.STORE;
    ElementType type = ElementType.FLOAT32;
    Form form = Form.NT;
    Float8Rounding float8 = new Float8Rounding(Float8Format.E4M3, Scaling.ROW);
    NonFinitePolicy policy = NonFinitePolicy.REJECT;
    return Stream.of(
        call("type", () -> KERNELS.multiply(null, form, m, m, store, c)),
        call("form", () -> KERNELS.multiply(type, null, m, m, store, c)),
        call("left", () -> KERNELS.multiply(type, form, null, m, store, c)),
        call("right", () -> KERNELS.multiply(type, form, m, null, store, c)),
        call("epilogue", () -> KERNELS.multiply(type, form, m, m, null, c)),
        call("result", () -> KERNELS.multiply(type, form, m, m, store, (FloatMatrix) null)),
        call("half", () -> KERNELS.multiply(type, form, m, m, store, (Bfloat16Matrix) null)),
        call("half, packed", () -> KERNELS.multiply(m, p, store, (Bfloat16Matrix) null)),
        call("left, packed", () -> KERNELS.multiply(null, p, store, c)),
        call("packed", () -> KERNELS.multiply(m, null, store, c)),
        call("epilogue, packed", () -> KERNELS.multiply(m, p, null, c)),
        call("result, packed", () -> KERNELS.multiply(m, p, store, (FloatMatrix) null)),
        call("left sums", () -> KERNELS.multiply(form, null, q, store, sums)),
        call("right sums", () -> KERNELS.multiply(form, q, null, store, sums)),
        call("epilogue of sums", () -> KERNELS.multiply(form, q, q, null, sums)),
        call("sums", () -> KERNELS.multiply(form, q, q, store, null)),
        call("pack type", () -> KERNELS.pack(null, form, m, new PackedMatrix())),
        call("pack form", () -> KERNELS.pack(type, null, m, new PackedMatrix())),
        call("pack operand", () -> KERNELS.pack(type, form, null, new PackedMatrix())),
        call("pack buffer", () -> KERNELS.pack(type, form, m, null)),
        call("quantize x", () -> KERNELS.quantize(null, q)),
        call("quantize rounding", () -> KERNELS.quantize(m, null, policy, q)),
        call("quantize policy", () -> KERNELS.quantize(m, Rounding.NEAREST_EVEN, null, q)),
        call("quantize out", () -> KERNELS.quantize(m, null)),
        call("dequantize q", () -> KERNELS.dequantize(null, c)),
        call("dequantize x", () -> KERNELS.dequantize(q, null)),
        call("float8 format", () -> new Float8Rounding(null, Scaling.ROW)),
        call("float8 scaling", () -> new Float8Rounding(Float8Format.E4M3, null)),
        call("float8 x", () -> KERNELS.roundToFloat8(null, float8, policy, c)),
        call("float8 rounding", () -> KERNELS.roundToFloat8(m, null, policy, c)),
        call("float8 policy", () -> KERNELS.roundToFloat8(m, float8, null, c)),
        call("float8 out", () -> KERNELS.roundToFloat8(m, float8, policy, null)),
        call("backend", () -> Kernels.create(null, KERNELS.parallel())),
        call("threads", () -> Kernels.create(KERNELS.backend(), null)),
        call("scaling", () -> new QuantizedMatrix(null)),
        call("backend name", () -> BackendChoice.named(null)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("nulls")
  void refusesNull(String name, Runnable call) {
    assertThatThrownBy(call::run).as(name).isInstanceOf(NullPointerException.class);
  }

  static Stream<Arguments> elementwise() {
    Elementwise ops = KERNELS.elementwise();
    FloatMatrix x = Matrices.gaussian(3, 5, 1);
    FloatMatrix y = Matrices.gaussian(5, 3, 2);
    float[] five = new float[5];
    float[] nine = new float[9];
    return Stream.of(
        refusal("y is 5x3 but x is 3x5 (expected equal)", r -> ops.add(x, y, r.floats)),
        refusal("out is 3x5 but x is 5x3 (expected equal)", r -> ops.add(y, y, r.floats)),
        refusal("y is 3x5 but x is 5x3 (expected equal)", r -> ops.gelu(y, r.floats)),
        refusal("gy is 5x3 but x is 3x5 (expected equal)", r -> ops.geluBackward(x, y, r.floats)),
        refusal("gx is 3x5 but x is 5x3 (expected equal)", r -> ops.geluBackward(y, y, r.floats)),
        refusal(
            "sums has 4 elements (expected at least 5)", r -> ops.addColumnSums(x, new float[4])),
        refusal(
            "gamma has 4 elements (expected at least 5)",
            r -> ops.layerNorm(x, new float[4], five, 1, r.floats, nine)),
        refusal(
            "beta has 4 elements (expected at least 5)",
            r -> ops.layerNorm(x, five, new float[4], 1, r.floats, nine)),
        refusal(
            "stats has 5 elements (expected at least 9)",
            r -> ops.layerNorm(x, five, five, 1, r.floats, five)),
        refusal(
            "stats has 5 elements (expected at least 9)",
            r -> ops.layerNormBackward(x, five, five, x, r.floats)),
        refusal(
            "gy is 5x3 but x is 3x5 (expected equal)",
            r -> ops.layerNormBackward(x, five, nine, y, r.floats)),
        refusal(
            "ggamma has 4 elements (expected at least 5)",
            r -> ops.layerNormParameterGradients(x, nine, x, new float[4], five)),
        refusal(
            "gbeta has 4 elements (expected at least 5)",
            r -> ops.layerNormParameterGradients(x, nine, x, five, new float[4])),
        refusal(
            "normalizers has 5 elements (expected at least 9)",
            r -> ops.softmax(r.floats, 1, five, 3)),
        refusal(
            "normalizers has 5 elements (expected at least 9)",
            r -> ops.softmaxFromNormalizers(r.floats, 1, five, 3)),
        refusal("offset is -1 (expected 0 or more)", r -> ops.softmax(r.floats, 1, five, -1)),
        refusal(
            "offset is -1 (expected 0 or more)",
            r -> ops.softmaxFromNormalizers(r.floats, 1, five, -1)),
        refusal("visible is 0 (expected 1 or more)", r -> ops.softmax(r.floats, 0, 1, five, 0)),
        refusal(
            "visible is 0 (expected 1 or more)",
            r -> ops.softmaxFromNormalizers(r.floats, 0, 1, five, 0)),
        refusal("y is 5x3 but x is 3x5 (expected equal)", r -> ops.dropout(x, 0, 1, y)),
        refusal(
            "rate is 1.0 (expected 0 or more, and less than 1)",
            r -> ops.dropout(r.floats, 1, 1, r.floats)),
        refusal(
            "rate is NaN (expected 0 or more, and less than 1)",
            r -> ops.dropout(r.floats, Float.NaN, 1, r.floats)),
        refusal(
            "gp is 5x3 but x is 3x5 (expected equal)", r -> ops.softmaxBackward(x, y, 1, r.floats)),
        refusal(
            "v has 4 elements (expected at least 5)",
            r -> ops.adamW(five, five, five, new float[4], 5, 1, 1, 0, 0, 1, 0)),
        refusal(
            "step is 0 (expected 1 or more)",
            r -> ops.adamW(five, five, five, five, 5, 0, 1, 0, 0, 1, 0)),
        refusal(
            "n is -1 (expected 0 or more)",
            r -> ops.adamW(five, five, five, five, -1, 1, 1, 0, 0, 1, 0)),
        refusal(
            "m has 4 elements (expected at least 5)",
            r -> ops.stableAdamWMoments(five, new float[4], five, 5, 1, 0, 0, 1)),
        refusal(
            "step is 0 (expected 1 or more)",
            r -> ops.stableAdamWMoments(five, five, five, 5, 0, 0, 0, 1)),
        refusal(
            "eps is 1.0E-30 (expected a number whose square is a normal float)",
            r -> ops.stableAdamWMoments(five, five, five, 5, 1, 0, 0, 1e-30f)),
        refusal(
            "w has 4 elements (expected at least 5)",
            r -> ops.stableAdamWUpdate(new float[4], five, five, 5, 0, 1, 1)),
        refusal("n is -1 (expected 0 or more)", r -> ops.sumOfSquares(five, -1)),
        refusal(
            "factors has 4 elements (expected at least 5)",
            r -> ops.scaleColumns(x, new float[4], r.floats)),
        refusal("y is 5x3 but x is 3x5 (expected equal)", r -> ops.addColumnDots(x, y, five)),
        refusal("x has 5 elements (expected at least 6)", r -> ops.scale(five, 6, 1)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("elementwise")
  void refusesElementwiseArgumentsThatDoNotGoTogether(String message, Call call) {
    refusesArgumentsThatDoNotGoTogether(message, call);
  }

  private static Arguments refusal(String message, Call call) {
    return arguments(message, call);
  }

  private static Arguments call(String name, Runnable call) {
    return arguments(name, call);
  }

  private static Arguments call(String name, String shape, Runnable call) {
    return arguments(name, shape, call);
  }

  private static void multiply(Form form, Matrix a, Matrix b, Epilogue epilogue, FloatMatrix c) {
    KERNELS.multiply(ElementType.FLOAT32, form, a, b, epilogue, c);
  }

  private static void int8(Form form, Matrix a, Matrix b, FloatMatrix c) {
    KERNELS.multiply(ElementType.INT8, form, a, b, Epilogue.STORE, c);
  }

  private static PackedMatrix packed(ElementType type, Matrix b) {
    PackedMatrix packed = new PackedMatrix();
    KERNELS.pack(type, Form.NT, b, packed);
    return packed;
  }

  private static QuantizedMatrix columns(QuantizedMatrix like) {
    return Matrices.quantized(like.rows(), like.cols(), Scaling.COLUMN, 1);
  }

  private static Scaling other(Scaling scaling) {
    return scaling == Scaling.ROW ? Scaling.COLUMN : Scaling.ROW;
  }
}
