package dev.switchyard.kernels;

import dev.switchyard.kernels.ProductCase.Kind;
import dev.switchyard.kernels.ProductCase.Shape;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** int8 products whose sums are beyond int32: exact, so the same everywhere. */
class SplitProductTest {
  private static final int LONGEST = Kernels.MAX_INT8_INNER;

  static Stream<Arguments> configurations() {
    return Arrays.stream(Form.values())
        .flatMap(
            form ->
                Setup.all()
                    .filter(setup -> setup.threads() == 2)
                    .map(setup -> Arguments.of(form, setup)));
  }

  /** Each seed has its own epilogue and scalings. */
  @ParameterizedTest
  @MethodSource("configurations")
  void thinShapes(Form form, Setup setup) {
    PackedMatrix buffer = new PackedMatrix();
    int seed = 0;
    for (int k : new int[] {LONGEST + 1, 2 * LONGEST + 1}) {
      Shape shape = new Shape(1 + seed, 3 - seed, k);
      ProductCase.random(Kind.INT8, form, shape, 5L * seed++).check(setup.kernels(), buffer);
    }
    // A short product after a long one: the buffer has forgotten its parts.
    ProductCase.random(Kind.INT8, form, new Shape(5, 3, 70), 3).check(setup.kernels(), buffer);
  }

  /** More rows than are summed at a time. */
  @Tag("full")
  @ParameterizedTest
  @MethodSource("configurations")
  void manyRows(Form form, Setup setup) {
    if (!setup.backend().equals("reference")) {
      ProductCase.random(Kind.INT8, form, new Shape(259, 1, LONGEST + 1), 1)
          .check(setup.kernels(), new PackedMatrix());
    }
  }

  /** The largest sum, 4.2e9, of either sign: an int32 would wrap to another. */
  @ParameterizedTest
  @MethodSource("configurations")
  void sumsOfTheLargestValues(Form form, Setup setup) {
    QuantizedMatrix a = extreme(form == Form.TN, 2 * LONGEST + 3);
    QuantizedMatrix b = extreme(form != Form.NT, 2 * LONGEST + 3);
    ProductCase.of(Kind.INT8, form, a, b, 0).check(setup.kernels(), new PackedMatrix());
  }

  private static QuantizedMatrix extreme(boolean transposed, int inner) {
    return Matrices.quantized(
        transposed ? inner : 2,
        transposed ? 2 : inner,
        Scaling.TENSOR,
        1,
        (i, j) -> (transposed ? j : i) % 2 == 0 ? 127 : -127);
  }

  @ParameterizedTest
  @MethodSource("dev.switchyard.kernels.Setup#all")
  void packedBothWays(Setup setup) {
    Kernels kernels = setup.kernels();
    for (int[] shape : new int[][] {{3, LONGEST + 1}, {LONGEST + 1, 3}}) {
      FloatMatrix w = Matrices.gaussian(shape[0], shape[1], 1);
      QuantizedMatrix fused = new QuantizedMatrix(Scaling.TENSOR);
      QuantizedMatrix apart = new QuantizedMatrix(Scaling.TENSOR);
      PackedMatrix forward = new PackedMatrix();
      PackedMatrix backward = new PackedMatrix();
      kernels.quantizeAndPack(w, NonFinitePolicy.REJECT, fused, forward, backward);
      kernels.quantize(w, apart);
      for (Form form : new Form[] {Form.NT, Form.NN}) {
        QuantizedMatrix x =
            Matrices.quantized(2, form == Form.NT ? shape[1] : shape[0], Scaling.ROW, 2);
        FloatMatrix y = FloatMatrix.allocate(2, form == Form.NT ? shape[0] : shape[1]);
        FloatMatrix expected = FloatMatrix.allocate(2, y.cols());
        kernels.multiply(x, form == Form.NT ? forward : backward, Epilogue.STORE, y);
        kernels.multiply(ElementType.INT8, form, x, apart, Epilogue.STORE, expected);
        Matrices.assertSameBits(y, expected, form + " of " + w.shape());
      }
    }
  }
}
