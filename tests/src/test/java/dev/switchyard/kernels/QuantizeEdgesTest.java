package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.Matrices.Cell;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.Float8Rounding;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.Arrays;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Inputs at the edge of what can be quantized, and buffers that are filled again. */
class QuantizeEdgesTest {
  static Stream<Arguments> configurations() {
    return Setup.BACKENDS.stream()
        .flatMap(b -> Arrays.stream(Scaling.values()).map(scaling -> Arguments.of(b, scaling)));
  }

  static Stream<Arguments> nonFinite() {
    return configurations()
        .flatMap(
            c ->
                Stream.of(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY)
                    .map(value -> Arguments.of(c.get()[0], c.get()[1], value)));
  }

  /** Rows without elements may begin anywhere, outside of the array too. */
  @ParameterizedTest
  @MethodSource("configurations")
  void rowsWithoutElements(String backend, Scaling scaling) {
    FloatMatrix x = new FloatMatrix(new float[2], 1, 3, 0, 1 << 30);
    QuantizedMatrix q = new QuantizedMatrix(scaling);
    Kernels kernels = Setup.serial(backend);

    kernels.quantize(x, q);
    kernels.roundToFloat8(
        x, new Float8Rounding(Float8Format.E4M3, Scaling.ROW), NonFinitePolicy.REJECT, x);

    assertThat(q.shape()).isEqualTo("3x0");
    assertThat(q.rowSums()).startsWith(0, 0, 0);
    assertThat(x.data()).containsOnly(0);
  }

  /** With a scale of 1, halves between all neighbouring integers go to the even one. */
  @ParameterizedTest
  @MethodSource("configurations")
  void tiesGoToTheEvenInteger(String backend, Scaling scaling) {
    FloatMatrix x = FloatMatrix.allocate(256, 1);
    for (int i = 0; i < 255; i++) {
      x.set(i, 0, i == 254 ? 127 : i - 126.5f);
    }
    x.set(255, 0, -127);
    FloatMatrix shaped = x;
    if (scaling == Scaling.ROW) {
      shaped = FloatMatrix.of(x.data(), 1, 256);
    }

    QuantizedMatrix q = quantize(backend, shaped, new QuantizedMatrix(scaling));

    for (int i = 0; i < 256; i++) {
      assertThat(scaling == Scaling.ROW ? q.get(0, i) : q.get(i, 0))
          .isEqualTo((byte) Math.rint(x.get(i, 0)));
    }
  }

  /**
   * The reciprocal of a scale may be rounded up, so that the largest element is scaled to a little
   * over 127. Stochastic rounding must not step over it: 128 would wrap to -128.
   */
  @ParameterizedTest
  @MethodSource("configurations")
  void stochasticRoundingNeverLeavesTheRange(String backend, Scaling scaling) {
    long seed = 1;
    long key = new CounterRandom(seed).key(0);
    float largest = 1;
    while (largest * (1 / (largest / 127)) <= 127) {
      largest = Math.nextUp(largest);
    }
    for (int sign : new int[] {1, -1}) {
      int at = 0;
      while (!oversteps(CounterRandom.uniform(key, at), sign)) {
        at++;
      }
      // The element with that draw once within a full vector and once in the last, partial one.
      for (int cols : new int[] {at + 65, at + 1}) {
        FloatMatrix x = FloatMatrix.allocate(1, cols);
        Arrays.fill(x.data(), sign * largest);
        QuantizedMatrix q = new QuantizedMatrix(scaling);

        Setup.serial(backend).quantize(x, Rounding.stochastic(seed), NonFinitePolicy.REJECT, q);

        assertThat((int) q.get(0, at)).isEqualTo(sign * 127);
        assertThat(q.rowSums()[0]).isEqualTo(sign * 127 * cols);
      }
    }
  }

  /**
   * Whether a draw rounds away from zero where the scaled value exceeds 127 by the least, 2^-17.
   */
  private static boolean oversteps(float draw, int sign) {
    return sign > 0 ? draw < 0x1p-17f : draw >= 1 - 0x1p-17f;
  }

  /** Below 127 times the smallest normal number nothing is left; from there on everything is. */
  @ParameterizedTest
  @MethodSource("configurations")
  void subnormalScalesCountAsZero(String backend, Scaling scaling) {
    float limit = 127 * Float.MIN_NORMAL;
    for (float largest : new float[] {Float.MIN_VALUE, Float.MIN_NORMAL, Math.nextDown(limit)}) {
      QuantizedMatrix q = quantize(backend, constant(largest), new QuantizedMatrix(scaling));
      assertThat(q.scale(0, 0)).isZero();
      assertThat((int) q.get(0, 0)).isZero();
    }
    QuantizedMatrix q = quantize(backend, constant(-limit), new QuantizedMatrix(scaling));
    assertThat(q.scale(0, 0)).isEqualTo(Float.MIN_NORMAL);
    assertThat((int) q.get(0, 0)).isEqualTo(-127);
  }

  @ParameterizedTest
  @MethodSource("configurations")
  void largestNumbers(String backend, Scaling scaling) {
    QuantizedMatrix q = quantize(backend, constant(Float.MAX_VALUE), new QuantizedMatrix(scaling));

    assertThat((int) q.get(0, 0)).isEqualTo(127);
    assertThat(q.scale(0, 0)).isEqualTo(Float.MAX_VALUE / 127);
  }

  /** Zero rows and columns quantize to zeros, and what is computed from them is zero, not NaN. */
  @ParameterizedTest
  @MethodSource("configurations")
  void zerosStayZeros(String backend, Scaling scaling) {
    FloatMatrix x = constant(0);
    QuantizedMatrix q = quantize(backend, x, new QuantizedMatrix(scaling));
    FloatMatrix restored = Matrices.blank(x.rows(), x.cols(), 1);

    Setup.serial(backend).dequantize(q, restored);

    Matrices.assertClose(restored, Cell.ZERO, Cell.ZERO, "restored");
    assertThat(q.rowSums()).contains(0);
    assertThat(q.scale(0, 0)).isZero();
  }

  @ParameterizedTest
  @MethodSource("nonFinite")
  void rejectsNonFiniteValues(String backend, Scaling scaling, float value) {
    Kernels kernels = Setup.serial(backend);
    for (int col : new int[] {0, 3, 16, 36}) {
      FloatMatrix x = Matrices.gaussian(5, 37, 1);
      x.set(3, col, value);
      x.set(4, 0, Float.NaN); // a later one
      QuantizedMatrix out = quantize(backend, constant(1), new QuantizedMatrix(scaling));

      assertThatThrownBy(() -> kernels.quantize(x, out))
          .isInstanceOf(NonFiniteException.class)
          .hasMessage(
              "element (3, %d) of the 5x37 matrix to quantize is %s (expected a finite number)",
              col, value);

      // After an exception it holds no values, not even those of the last time.
      assertThatIllegalStateException().isThrownBy(out::requireFilled);
      assertThatIllegalStateException().isThrownBy(() -> out.get(0, 0));
    }
  }

  /** What shares a scale with a non-finite value becomes NaN in a product, and nothing else. */
  @ParameterizedTest
  @MethodSource("nonFinite")
  void propagatesNonFiniteValues(String backend, Scaling scaling, float value) {
    Kernels kernels = Setup.serial(backend);
    FloatMatrix clean = Matrices.gaussian(20, 37, 1);
    FloatMatrix x = Matrices.copy(clean);
    x.set(3, 17, value);
    for (Rounding rounding : new Rounding[] {Rounding.NEAREST_EVEN, Rounding.stochastic(5)}) {
      QuantizedMatrix q = new QuantizedMatrix(scaling);
      QuantizedMatrix expected = new QuantizedMatrix(scaling);
      kernels.quantize(x, rounding, NonFinitePolicy.PROPAGATE, q);
      kernels.quantize(clean, rounding, NonFinitePolicy.REJECT, expected);

      // Row scales are those of a left operand, column scales of a right one.
      boolean left = scaling != Scaling.COLUMN;
      FloatMatrix product = multiplyByIntegers(kernels, q, left);
      FloatMatrix finite = multiplyByIntegers(kernels, expected, left);
      Cell wanted =
          (i, j) ->
              switch (scaling) {
                    case ROW -> i == 3;
                    case COLUMN -> j == 17;
                    case TENSOR -> true;
                  }
                  ? Double.NaN
                  : finite.get(i, j);
      Matrices.assertClose(product, wanted, Cell.ZERO, scaling + " of " + value);

      FloatMatrix restored = FloatMatrix.allocate(20, 37);
      kernels.dequantize(q, restored);
      assertThat(restored.get(3, 17)).isNaN();
      for (int i = 0; i < q.rows(); i++) {
        int sum = 0;
        for (int j = 0; j < q.cols(); j++) {
          sum += q.get(i, j);
        }
        assertThat(q.rowSums()[i]).isEqualTo(sum);
      }
    }
  }

  private static FloatMatrix multiplyByIntegers(Kernels kernels, QuantizedMatrix q, boolean left) {
    QuantizedMatrix other = Matrices.quantized(left ? 37 : 20, left ? 9 : 20, Scaling.TENSOR, 7);
    FloatMatrix c = FloatMatrix.allocate(20, left ? 9 : 37);
    Form form = left ? Form.NN : Form.TN;
    kernels.multiply(ElementType.INT8, form, left ? q : other, left ? other : q, Epilogue.STORE, c);
    return c;
  }

  /** A buffer filled again, larger, smaller and wider, is as good as a new one. */
  @ParameterizedTest
  @MethodSource("configurations")
  void buffersAreReused(String backend, Scaling scaling) {
    QuantizedMatrix reused = new QuantizedMatrix(scaling);
    int[][] shapes = {
      {7, 63}, {3, 65}, {9, 1}, {2, 64}, {9, 60}, {9, 62}, {2, 30}, {9, 31}, {0, 5}, {4, 0},
      {5, 130}
    };
    for (int[] shape : shapes) {
      FloatMatrix x = Matrices.gaussian(shape[0], shape[1], shape[0]);
      QuantizedMatrix fresh = quantize(backend, x, new QuantizedMatrix(scaling));

      quantize(backend, x, reused);

      Matrices.assertSame(reused, fresh, reused.shape()); // padding included
    }
  }

  /** What stood in a row is gone when the row becomes zero, whichever way it is rounded. */
  @ParameterizedTest
  @MethodSource("configurations")
  void rowsOfZerosAreCleared(String backend, Scaling scaling) {
    Kernels kernels = Setup.serial(backend);
    FloatMatrix zeros = FloatMatrix.allocate(5, 37);
    for (Rounding rounding : new Rounding[] {Rounding.NEAREST_EVEN, Rounding.stochastic(9)}) {
      QuantizedMatrix reused = new QuantizedMatrix(scaling);
      kernels.quantize(Matrices.gaussian(5, 37, 1), rounding, NonFinitePolicy.REJECT, reused);

      kernels.quantize(zeros, rounding, NonFinitePolicy.REJECT, reused);

      Matrices.assertSame(
          reused, quantize(backend, zeros, new QuantizedMatrix(scaling)), scaling + " zeros");
    }
  }

  @ParameterizedTest
  @MethodSource("configurations")
  void threadsDoNotMatter(String backend, Scaling scaling) {
    FloatMatrix x = Matrices.gaussian(301, 263, 1);
    for (Rounding rounding : new Rounding[] {Rounding.NEAREST_EVEN, Rounding.stochastic(9)}) {
      QuantizedMatrix one = new QuantizedMatrix(scaling);
      Setup.serial(backend).quantize(x, rounding, NonFinitePolicy.REJECT, one);
      for (int threads : new int[] {2, 3}) {
        Kernels kernels = new Setup(backend, threads).kernels();
        QuantizedMatrix several = new QuantizedMatrix(scaling);
        kernels.quantize(x, rounding, NonFinitePolicy.REJECT, several);
        Matrices.assertSame(several, one, threads + " threads");

        FloatMatrix restored = Matrices.blank(301, 263, 2);
        kernels.dequantize(several, restored);
        FloatMatrix expected = Matrices.blank(301, 263, 3);
        Setup.serial(backend).dequantize(one, expected);
        Matrices.assertSameBits(restored, expected, "dequantized");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void rejectsWithSeveralThreadsToo(Scaling scaling) {
    FloatMatrix x = Matrices.gaussian(301, 263, 1);
    x.set(299, 7, Float.NaN);
    Kernels kernels = Setup.on("vector", Parallel.ofThreads(2));

    assertThatThrownBy(() -> kernels.quantize(x, new QuantizedMatrix(scaling)))
        .isInstanceOf(NonFiniteException.class)
        .hasMessageStartingWith("element (299, 7) of the 301x263 matrix");
  }

  /** An executor that does the work in the caller's thread and then repairs the matrix. */
  @ParameterizedTest
  @EnumSource
  void saysThatTheMatrixWasChangedMeanwhile(Scaling scaling) {
    FloatMatrix x = Matrices.gaussian(301, 263, 1);
    x.set(299, 7, Float.NaN);
    Parallel repairing =
        Parallel.over(
            new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new SynchronousQueue<>()) {
              @Override
              public void execute(Runnable task) {
                task.run();
                x.set(299, 7, 0);
              }
            },
            2);

    assertThatThrownBy(
            () -> Setup.on("vector", repairing).quantize(x, new QuantizedMatrix(scaling)))
        .isInstanceOf(NonFiniteException.class)
        .hasMessage("the matrix to quantize was changed by another thread");
  }

  static Stream<Setup> setups() {
    return Setup.all();
  }

  /** Fused or one after the other: the same int8 matrix, and the same products both ways. */
  @ParameterizedTest
  @MethodSource("setups")
  void quantizeAndPackIsQuantizeThenPack(Setup setup) {
    Kernels kernels = setup.kernels();
    QuantizedMatrix fused = new QuantizedMatrix(Scaling.TENSOR);
    PackedMatrix forward = new PackedMatrix();
    PackedMatrix backward = new PackedMatrix();
    int[][] shapes = {{0, 3}, {3, 0}, {1, 1}, {31, 33}, {64, 65}, {301, 263}, {97, 5}, {12, 200}};
    for (int[] shape : shapes) {
      FloatMatrix w = Matrices.gaussian(shape[0], shape[1], shape[0]);
      QuantizedMatrix q = quantize(setup.backend(), w, new QuantizedMatrix(Scaling.TENSOR));
      QuantizedMatrix x = Matrices.quantized(13, shape[1], Scaling.ROW, 1);
      QuantizedMatrix g = Matrices.quantized(13, shape[0], Scaling.ROW, 2);

      kernels.quantizeAndPack(w, NonFinitePolicy.REJECT, fused, forward, backward);

      Matrices.assertSame(fused, q, q.shape());
      FloatMatrix y = FloatMatrix.allocate(13, shape[0]);
      FloatMatrix expectedY = FloatMatrix.allocate(13, shape[0]);
      kernels.multiply(x, forward, Epilogue.STORE, y);
      kernels.multiply(ElementType.INT8, Form.NT, x, q, Epilogue.STORE, expectedY);
      Matrices.assertSameBits(y, expectedY, "forward product of " + q.shape());
      FloatMatrix gx = FloatMatrix.allocate(13, shape[1]);
      FloatMatrix expectedGx = FloatMatrix.allocate(13, shape[1]);
      kernels.multiply(g, backward, Epilogue.STORE, gx);
      kernels.multiply(ElementType.INT8, Form.NN, g, q, Epilogue.STORE, expectedGx);
      Matrices.assertSameBits(gx, expectedGx, "input gradient of " + q.shape());
    }
  }

  /** A rejected weight leaves the old one in place, in all three forms. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector", "x86"})
  void rejectedWeightChangesNothing(String backend) {
    Kernels kernels = Setup.serial(backend);
    QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
    PackedMatrix forward = new PackedMatrix();
    PackedMatrix backward = new PackedMatrix();
    FloatMatrix w = Matrices.gaussian(33, 35, 1);
    kernels.quantizeAndPack(w, NonFinitePolicy.REJECT, q, forward, backward);
    int[] oldQ = Matrices.content(q);
    int[] oldForward = Matrices.content(forward);
    int[] oldBackward = Matrices.content(backward);
    FloatMatrix bad = Matrices.gaussian(4, 3, 2);
    bad.set(2, 1, Float.NaN);

    assertThatThrownBy(
            () -> kernels.quantizeAndPack(bad, NonFinitePolicy.REJECT, q, forward, backward))
        .isInstanceOf(NonFiniteException.class)
        .hasMessage(
            "element (2, 1) of the 4x3 matrix to quantize is NaN (expected a finite number)");

    q.requireFilled();
    assertThat(Matrices.content(q)).isEqualTo(oldQ);
    assertThat(Matrices.content(forward)).isEqualTo(oldForward);
    assertThat(Matrices.content(backward)).isEqualTo(oldBackward);
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void propagatedWeightMakesAllProductsNaN(String backend) {
    Kernels kernels = Setup.serial(backend);
    FloatMatrix w = Matrices.gaussian(4, 3, 2);
    w.set(2, 1, Float.NEGATIVE_INFINITY);
    QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
    PackedMatrix forward = new PackedMatrix();
    FloatMatrix y = FloatMatrix.allocate(5, 4);

    kernels.quantizeAndPack(w, NonFinitePolicy.PROPAGATE, q, forward, new PackedMatrix());
    kernels.multiply(
        Matrices.quantized(5, 3, Scaling.ROW, 1), forward, Epilogue.bias(new float[4]), y);

    Matrices.assertClose(y, (i, j) -> Double.NaN, Cell.ZERO, "product");
  }

  private static FloatMatrix constant(float value) {
    FloatMatrix x = FloatMatrix.allocate(3, 21);
    Arrays.fill(x.data(), value);
    return x;
  }

  private static QuantizedMatrix quantize(String backend, FloatMatrix x, QuantizedMatrix out) {
    Setup.serial(backend).quantize(x, out);
    return out;
  }
}
