package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Float8Oracle;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The three products of {@link Linear} in each precision against their formulas in double. */
class LinearPrecisionTest {
  private static final double U = 0x1p-24;

  /** What each operand of the three products is rounded to: X and W, G and W, G and X. */
  private record Rounded(
      UnaryOperator<double[][]> x,
      UnaryOperator<double[][]> w,
      UnaryOperator<double[][]> g,
      UnaryOperator<double[][]> wBack,
      UnaryOperator<double[][]> gWeight,
      UnaryOperator<double[][]> xWeight) {
    static Rounded of(Precision precision) {
      UnaryOperator<double[][]> exact = a -> a;
      UnaryOperator<double[][]> half = LinearPrecisionTest::bfloat16;
      UnaryOperator<double[][]> row = LinearPrecisionTest::byRow;
      UnaryOperator<double[][]> column = a -> transpose(byRow(transpose(a)));
      UnaryOperator<double[][]> tensor = LinearPrecisionTest::byTensor;
      return switch (precision) {
        case FLOAT32 -> new Rounded(exact, exact, exact, exact, exact, exact);
        case BFLOAT16 -> new Rounded(half, half, half, half, half, half);
        case SWITCHBACK -> new Rounded(row, tensor, row, tensor, half, half);
        case SWITCHBACK_M -> new Rounded(row, tensor, row, tensor, half, a -> half.apply(byRow(a)));
        case SWITCHBACK_Q -> new Rounded(row, row, row, column, half, half);
        case SWITCHBACK_OUTLIERS ->
            new Rounded(
                LinearPrecisionTest::restBesideOutliers,
                a -> beside(byRow(a), a),
                row,
                column,
                half,
                half);
        case INT8_ALL -> new Rounded(row, row, row, column, column, column);
        case FP8_SWITCHBACK -> float8(Float8Format.E4M3, Float8Format.E5M2, true);
        case FP8_TENSORWISE -> float8(Float8Format.E4M3, Float8Format.E5M2, false);
        case FP8_SWITCHBACK_PAPER -> float8(Float8Format.E4M3_PAPER, Float8Format.E5M2_PAPER, true);
        case FP8_TENSORWISE_PAPER ->
            float8(Float8Format.E4M3_PAPER, Float8Format.E5M2_PAPER, false);
      };
    }

    private static Rounded float8(Float8Format forward, Float8Format backward, boolean byRow) {
      Float8Oracle f = new Float8Oracle(forward);
      Float8Oracle b = new Float8Oracle(backward);
      UnaryOperator<double[][]> w = a -> byTensor(a, forward.largest(), f::round);
      UnaryOperator<double[][]> x = a -> byRow ? byRow(a, forward.largest(), f::round) : w.apply(a);
      UnaryOperator<double[][]> g =
          a ->
              byRow
                  ? byRow(a, backward.largest(), b::round)
                  : byTensor(a, backward.largest(), b::round);
      UnaryOperator<double[][]> exact = a -> a;
      return new Rounded(x, w, g, w, byRow ? exact : g, byRow ? exact : x);
    }
  }

  /** The layer's output and gradients, and what they are computed from. */
  private static final class Run {
    final FloatMatrix x;
    final FloatMatrix g;
    final Linear layer;
    final FloatMatrix y;
    final FloatMatrix gx;
    final FloatMatrix gw;
    final float[] gb;

    Run(Kernels kernels, Precision precision, int rows, int in, int out, long seed) {
      this(kernels, new Linear("l", in, out, precision, new CounterRandom(seed)), rows, seed);
    }

    Run(Kernels kernels, Linear layer, int rows, long seed) {
      this.layer = layer;
      FloatMatrix w = weight().value();
      x = gaussian(rows, w.cols(), seed);
      g = gaussian(rows, w.rows(), seed + 1);
      Fixtures.disturb(layer.parameters().subList(1, 2), 1);
      Tape tape = Tape.recording(kernels);
      Tensor input = Tensor.withGrad(x);
      Tensor output = layer.forward(tape, input);
      tape.backward(output, g);
      y = output.value();
      gx = input.grad();
      gw = weight().grad();
      gb = layer.parameters().get(1).grad().data();
    }

    Parameter weight() {
      return layer.parameters().get(0);
    }

    double bias(int j) {
      return layer.parameters().get(1).value().get(0, j);
    }
  }

  @ParameterizedTest
  @EnumSource
  void productsFollowTheirFormulas(Precision precision) {
    for (String backend : new String[] {"reference", "vector", "x86"}) {
      Run run = new Run(Fixtures.kernels(backend, 2), precision, 37, 65, 43, 5);
      Rounded rounded = Rounded.of(precision);
      double[][] x = toDouble(run.x);
      double[][] g = toDouble(run.g);
      double[][] w = toDouble(run.weight().value());

      String what = precision + " on " + backend;
      double[][] bias = new double[37][43];
      for (double[] row : bias) {
        for (int j = 0; j < row.length; j++) {
          row[j] = run.bias(j);
        }
      }
      assertProduct(
          what + " Y", run.y, rounded.x().apply(x), transpose(rounded.w().apply(w)), bias);
      assertProduct(
          what + " dX", run.gx, rounded.g().apply(g), rounded.wBack().apply(w), new double[37][65]);
      assertProduct(
          what + " dW",
          run.gw,
          transpose(rounded.gWeight().apply(g)),
          rounded.xWeight().apply(x),
          new double[43][65]);
      for (int j = 0; j < 43; j++) {
        double sum = 0;
        double size = 0;
        for (double[] row : g) {
          sum += row[j];
          size += Math.abs(row[j]);
        }
        assertThat((double) run.gb[j]).as(what).isCloseTo(sum, within(37 * U * size));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SWITCHBACK, FLOAT32",
    "SWITCHBACK_M, FLOAT32",
    "SWITCHBACK_Q, FLOAT32",
    "FP8_SWITCHBACK, BFLOAT16"
  })
  void weightGradientInAnotherType(Precision precision, ElementType type) {
    for (String backend : new String[] {"reference", "vector", "x86"}) {
      Kernels kernels = Fixtures.kernels(backend, 2);
      List<Parameter> like = new Linear("l", 65, 43, precision, new CounterRandom(5)).parameters();
      Linear layer =
          Linear.of(like.get(0))
              .bias(like.get(1))
              .precision(precision)
              .weightGradient(type)
              .build();
      Run other = new Run(kernels, layer, 37, 5);
      Run usual = new Run(kernels, precision, 37, 65, 43, 5);

      UnaryOperator<double[][]> rounded = a -> type == ElementType.BFLOAT16 ? bfloat16(a) : a;
      double[][] x = toDouble(other.x);
      assertProduct(
          precision + " dW on " + backend,
          other.gw,
          transpose(rounded.apply(toDouble(other.g))),
          rounded.apply(precision == Precision.SWITCHBACK_M ? byRow(x) : x),
          new double[43][65]);
      assertThat(Fixtures.values(other.y)).isEqualTo(Fixtures.values(usual.y));
      assertThat(Fixtures.values(other.gx)).isEqualTo(Fixtures.values(usual.gx));
    }
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, BFLOAT16", "BFLOAT16, FLOAT32", "INT8_ALL, FLOAT32", "SWITCHBACK, INT8"})
  void refusesOtherTypesOfWeightGradient(Precision precision, ElementType type) {
    List<Parameter> p = new Linear("l", 3, 2, precision, Fixtures.RANDOM).parameters();

    assertThatThrownBy(
            () ->
                Linear.of(p.get(0))
                    .bias(p.get(1))
                    .precision(precision)
                    .weightGradient(type)
                    .build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("precision " + precision + " does not compute weight gradients in " + type);
  }

  /** Each product is that of the precision it is switched to. */
  @Test
  void productsCanBeSwitchedOneByOne() {
    Kernels kernels = Fixtures.kernels("vector", 1);
    Map<Precision, Run> pure = new EnumMap<>(Precision.class);
    for (Precision precision : Precision.values()) {
      pure.put(precision, new Run(kernels, precision, 9, 20, 12, 5));
    }
    int refused = 0;
    for (Precision output : Precision.values()) {
      for (Precision inputGradient : Precision.values()) {
        for (Precision weightGradient : Precision.values()) {
          List<Parameter> p = new Linear("l", 20, 12, output, new CounterRandom(5)).parameters();
          Linear layer;
          try {
            layer =
                Linear.of(p.get(0))
                    .bias(p.get(1))
                    .precision(output)
                    .gradients(inputGradient, weightGradient)
                    .build();
          } catch (IllegalArgumentException e) {
            assertThat(e)
                .hasMessage(
                    "precision SWITCHBACK_M keeps the input in int8, from which %s cannot compute"
                        + " the weight gradient (expected a precision that takes it)",
                    weightGradient);
            refused++;
            continue;
          }
          Run run = new Run(kernels, layer, 9, 5);
          String what = output + " " + inputGradient + " " + weightGradient;
          assertThat(Fixtures.values(run.y))
              .as(what)
              .isEqualTo(Fixtures.values(pure.get(output).y));
          assertThat(Fixtures.values(run.gx))
              .as(what)
              .isEqualTo(Fixtures.values(pure.get(inputGradient).gx));
          // Apart from int8 that is kept, X arrives as it was.
          boolean half = weightGradient.weightGradient() == ElementType.BFLOAT16;
          Precision expected = weightGradient;
          if (output == Precision.SWITCHBACK_M) {
            expected = half ? Precision.SWITCHBACK_M : null;
          } else if (weightGradient == Precision.SWITCHBACK_M) {
            expected = Precision.BFLOAT16;
          }
          if (expected != null) {
            assertThat(run.gw.data()).as(what).isEqualTo(pure.get(expected).gw.data());
          }
        }
      }
    }
    assertThat(refused).isEqualTo(3 * Precision.values().length);
  }

  /** A sum of n products in float32 is off by at most (n + 2) u times the sum of their sizes. */
  private static void assertProduct(
      String what, FloatMatrix c, double[][] a, double[][] b, double[][] plus) {
    double[][] bT = transpose(b);
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < bT.length; j++) {
        double sum = plus[i][j];
        double size = Math.abs(plus[i][j]);
        for (int k = 0; k < b.length; k++) {
          sum += a[i][k] * bT[j][k];
          size += Math.abs(a[i][k] * bT[j][k]);
        }
        assertThat((double) c.get(i, j))
            .as("%s (%d, %d)", what, i, j)
            .isCloseTo(sum, within((b.length + 2) * U * size));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"64, 64, 64", "128, 256, 512"})
  void noiseOfSwitchBackIsBelowMinus20DecibelsAndBelowThatOfInt8(int rows, int in, int out) {
    Kernels kernels = Fixtures.kernels("vector", 1);
    for (long seed = 10; seed < 15; seed++) {
      Run exact = new Run(kernels, Precision.FLOAT32, rows, in, out, seed);
      Run int8 = new Run(kernels, Precision.INT8_ALL, rows, in, out, seed);
      for (Precision precision :
          new Precision[] {Precision.SWITCHBACK, Precision.SWITCHBACK_M, Precision.SWITCHBACK_Q}) {
        Run run = new Run(kernels, precision, rows, in, out, seed);
        assertThat(-10 * Math.log10(noise(run.y, exact.y))).as("%s Y", precision).isGreaterThan(20);
        assertThat(-10 * Math.log10(noise(run.gx, exact.gx)))
            .as("%s dX", precision)
            .isGreaterThan(20);
        double noiseOfWeight = noise(run.gw, exact.gw);
        assertThat(-10 * Math.log10(Math.max(noiseOfWeight, 1e-30)))
            .as("%s dW", precision)
            .isGreaterThan(20);
        assertThat(noise(run.gx, exact.gx) + noiseOfWeight)
            .as("%s: noise of both gradients", precision)
            .isLessThan(noise(int8.gx, exact.gx) + noise(int8.gw, exact.gw));
      }
    }
  }

  /** Energy of the error against energy of the signal. */
  private static double noise(FloatMatrix actual, FloatMatrix exact) {
    double error = 0;
    double signal = 0;
    for (int i = 0; i < exact.rows(); i++) {
      for (int j = 0; j < exact.cols(); j++) {
        error += Math.pow((double) actual.get(i, j) - exact.get(i, j), 2);
        signal += Math.pow(exact.get(i, j), 2);
      }
    }
    return error / signal;
  }

  @ParameterizedTest
  @EnumSource(
      names = {"SWITCHBACK", "SWITCHBACK_M", "SWITCHBACK_Q", "SWITCHBACK_OUTLIERS", "INT8_ALL"})
  void int8ProductsAreTheSameOnEveryBackendAndForTwoThreads(Precision precision) {
    Run one = new Run(Fixtures.kernels("reference", 1), precision, 259, 193, 131, 20);
    Run other = new Run(Fixtures.kernels("vector", 2), precision, 259, 193, 131, 20);
    assertThat(Fixtures.values(other.y)).isEqualTo(Fixtures.values(one.y));
    assertThat(Fixtures.values(other.gx)).isEqualTo(Fixtures.values(one.gx));
    if (precision == Precision.INT8_ALL) {
      assertThat(other.gw.data()).isEqualTo(one.gw.data());
    }
  }

  @ParameterizedTest
  @EnumSource
  void zerosStayZeros(Precision precision) {
    Kernels kernels = Fixtures.reference();
    Parameter weight = new Parameter("w", FloatMatrix.allocate(3, 5), true);
    Linear layer =
        Linear.of(weight).bias(Parameter.vector("b", 1, 2, 3)).precision(precision).build();
    Tape tape = Tape.recording(kernels);
    Tensor x = Tensor.withGrad(FloatMatrix.allocate(4, 5));
    Tensor y = layer.forward(tape, x);
    tape.backward(y, FloatMatrix.allocate(4, 3));
    assertThat(Fixtures.values(y.value())).containsExactly(1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3);
    assertThat(Fixtures.values(x.grad())).containsOnly(0);
    assertThat(weight.grad().data()).containsOnly(0);
  }

  @ParameterizedTest
  @EnumSource
  void takesInputsWithoutRows(Precision precision) {
    Linear layer = new Linear("l", 5, 3, precision, Fixtures.RANDOM);
    Tape tape = Tape.recording(Fixtures.reference());
    Tensor x = Tensor.withGrad(FloatMatrix.allocate(0, 5));
    Tensor y = layer.forward(tape, x);
    tape.backward(y, FloatMatrix.allocate(0, 3));
    assertThat(y.value().shape()).isEqualTo("0x3");
    assertThat(x.grad().shape()).isEqualTo("0x5");
    assertThat(layer.parameters()).allSatisfy(p -> assertThat(p.grad().data()).containsOnly(0));
  }

  @ParameterizedTest
  @EnumSource
  void seesAChangedWeightAndAnotherBackend(Precision precision) {
    Linear layer = new Linear("l", 9, 4, precision, Fixtures.RANDOM);
    assertSameAsUncached(layer, Fixtures.reference());
    Fixtures.disturb(layer.parameters(), 0.5f);
    assertSameAsUncached(layer, Fixtures.reference());
    assertSameAsUncached(layer, Fixtures.kernels("vector", 1));
    assertSameAsUncached(layer, Fixtures.reference());
  }

  private static void assertSameAsUncached(Linear layer, Kernels kernels) {
    FloatMatrix x = gaussian(3, 9, 1);
    FloatMatrix g = gaussian(3, 4, 2);
    Parameter weight = new Parameter("w", layer.parameters().get(0).value(), true);
    Linear fresh =
        Linear.of(weight).bias(layer.parameters().get(1)).precision(layer.precision()).build();
    float[][] expected = outputAndInputGradient(kernels, fresh, x, g);
    assertThat(outputAndInputGradient(kernels, layer, x, g)).isEqualTo(expected);
    assertThat(outputAndInputGradient(kernels, layer, x, g)).isEqualTo(expected);
  }

  private static float[][] outputAndInputGradient(
      Kernels kernels, Linear layer, FloatMatrix x, FloatMatrix g) {
    Tape tape = Tape.recording(kernels);
    Tensor input = Tensor.withGrad(x);
    Tensor y = layer.forward(tape, input);
    tape.backward(y, g);
    return new float[][] {Fixtures.values(y.value()), Fixtures.values(input.grad())};
  }

  /**
   * An error that is uniform in half a step is at most 2^-(m + 1) of a value with m bits of
   * mantissa, a third of the square of that on average. So the noise of a product is at most that
   * of both operands: 2 2^-8 / 3 for E4M3, -25.8 dB, and (2^-6 + 2^-8) / 3 with E5M2, -21.9 dB. It
   * is at least a quarter of that, as next to a power of two; and in Y, the variance of whose bias
   * is 1 and of the rest 256 2 / (256 + 512), a tenth.
   */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "FP8_.*")
  void noiseOfFloat8IsThatOfItsSteps(Precision precision) {
    Kernels kernels = Fixtures.kernels("vector", 1);
    for (long seed = 10; seed < 15; seed++) {
      Run exact = new Run(kernels, Precision.FLOAT32, 128, 256, 512, seed);
      Run run = new Run(kernels, precision, 128, 256, 512, seed);
      double withE4M3 = 2 * 0x1p-8 / 3;
      double withE5M2 = (0x1p-6 + 0x1p-8) / 3;
      assertThat(noise(run.y, exact.y)).as("Y").isBetween(withE4M3 / 10, withE4M3);
      assertThat(noise(run.gx, exact.gx)).as("dX").isBetween(withE5M2 / 4, withE5M2);
      if (precision == Precision.FP8_SWITCHBACK || precision == Precision.FP8_SWITCHBACK_PAPER) {
        assertThat(run.gw.data()).isEqualTo(exact.gw.data());
      } else {
        assertThat(noise(run.gw, exact.gw)).as("dW").isBetween(withE5M2 / 4, withE5M2);
      }
    }
  }

  /**
   * The clock counts measurements: one to round X, one for G, and one for the weight of both, once
   * the first step has shown that both are needed.
   */
  @ParameterizedTest
  @CsvSource({
    "SWITCHBACK, SWITCHBACK, 3",
    "SWITCHBACK, SWITCHBACK_M, 3",
    "SWITCHBACK_M, SWITCHBACK, 3",
    "SWITCHBACK, SWITCHBACK_Q, 4",
    "SWITCHBACK_Q, SWITCHBACK_Q, 4",
    "FLOAT32, SWITCHBACK, 2"
  })
  void switchedProductsShareAnInt8Weight(Precision output, Precision inputGradient, int times) {
    long[] now = new long[1];
    Profile profile = new Profile(() -> now[0]++);
    Tape tape = Tape.recording(Fixtures.reference(), profile);
    List<Parameter> p = new Linear("l", 5, 3, output, Fixtures.RANDOM).parameters();
    Linear layer =
        Linear.of(p.get(0))
            .bias(p.get(1))
            .precision(output)
            .gradients(inputGradient, Precision.FLOAT32)
            .build();

    for (int step = 0; step < 2; step++) {
      profile.clear();
      tape.reset();
      p.get(0).markChanged();
      Tensor x = Tensor.withGrad(gaussian(4, 5, 1));
      tape.backward(layer.forward(tape, x), gaussian(4, 3, 2));
    }

    assertThat(profile.nanos(Profile.Part.QUANTIZE)).isEqualTo(times);
  }

  /** There is nothing to add to the bias, and nothing goes back. */
  @ParameterizedTest
  @EnumSource(Precision.class)
  void withoutInputsTheOutputIsTheBias(Precision precision) {
    Linear layer =
        Linear.of(new Parameter("l.weight", FloatMatrix.allocate(2, 0), true))
            .bias(Parameter.vector("l.bias", 3, 4))
            .precision(precision)
            .build();
    Tape tape = Tape.recording(Fixtures.reference());
    Tensor y = layer.forward(tape, Tensor.withGrad(FloatMatrix.allocate(3, 0)));
    assertThat(Fixtures.values(y.value())).containsExactly(3, 4, 3, 4, 3, 4);
    tape.backward(y, gaussian(3, 2, 1));
  }

  /** 500 inputs are three groups, each with its own scales and outliers; 70 rows are two blocks. */
  @Test
  void outliersHaveGroupsOfInputs() {
    for (String backend : new String[] {"reference", "vector", "x86"}) {
      Kernels kernels = Fixtures.kernels(backend, 2);
      Run run = new Run(kernels, Precision.SWITCHBACK_OUTLIERS, 70, 500, 300, 7);
      double[][] x = new double[70][0];
      double[][] w = new double[300][0];
      for (int[] group : new int[][] {{0, 166}, {166, 333}, {333, 500}}) {
        double[][] ofX = toDouble(run.x.columnRange(group[0], group[1]));
        double[][] ofW = toDouble(run.weight().value().columnRange(group[0], group[1]));
        x = beside(x, restBesideOutliers(ofX));
        w = beside(w, beside(byRow(ofW), ofW));
      }
      double[][] bias = new double[70][300];
      for (double[] row : bias) {
        Arrays.setAll(row, run::bias);
      }
      assertProduct("Y on " + backend, run.y, x, transpose(w), bias);

      run.x.set(69, 499, Float.NaN);
      assertThatThrownBy(() -> run.layer.forward(Tape.none(kernels), Tensor.of(run.x)))
          .isInstanceOf(NonFiniteException.class)
          .hasMessage(
              "the input of the layer with weight l.weight 300x500 cannot be quantized: element"
                  + " (69, 499) of the 70x500 matrix to quantize is NaN (expected a finite"
                  + " number)");
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SWITCHBACK", "INT8_ALL", "FP8_SWITCHBACK", "FP8_TENSORWISE"})
  void namesTheLayerWhoseInputCannotBeQuantized(Precision precision) {
    Linear layer = new Linear("block0.up", 3, 2, precision, Fixtures.RANDOM);
    FloatMatrix x = gaussian(2, 3, 1);
    x.set(1, 2, Float.NaN);
    assertThatThrownBy(() -> layer.forward(Tape.none(Fixtures.reference()), Tensor.of(x)))
        .isInstanceOf(NonFiniteException.class)
        .hasMessageContaining("the input of the layer with weight block0.up.weight 2x3")
        .hasMessageContaining("(1, 2)");
  }

  @ParameterizedTest
  @EnumSource(names = {"SWITCHBACK", "INT8_ALL", "FP8_SWITCHBACK", "FP8_TENSORWISE"})
  void namesTheLayerWhoseGradientCannotBeQuantized(Precision precision) {
    Linear layer = new Linear("block0.up", 3, 2, precision, Fixtures.RANDOM);
    layer.parameters().get(0).setFrozen(true);
    Tape tape = Tape.recording(Fixtures.reference());
    Tensor y = layer.forward(tape, Tensor.withGrad(gaussian(2, 3, 1)));
    FloatMatrix g = gaussian(2, 2, 2);
    g.set(1, 0, Float.POSITIVE_INFINITY);
    assertThatThrownBy(() -> tape.backward(y, g))
        .isInstanceOf(NonFiniteException.class)
        .hasMessageContaining("the output gradient of the layer with weight block0.up.weight 2x3")
        .hasMessageContaining("(1, 0)");
  }

  // Rounding, written from the definitions.

  private static double[][] byRow(double[][] a) {
    return byRow(a, 127, Math::rint);
  }

  /** What is at most 3 times the root mean square of its row, rounded; then what is more. */
  private static double[][] restBesideOutliers(double[][] a) {
    double[][] rest = new double[a.length][];
    double[][] outliers = new double[a.length][];
    for (int i = 0; i < a.length; i++) {
      double bound = 3 * Math.sqrt(Arrays.stream(a[i]).map(v -> v * v).average().orElseThrow());
      rest[i] = Arrays.stream(a[i]).map(v -> Math.abs(v) > bound ? 0 : v).toArray();
      outliers[i] = Arrays.stream(a[i]).map(v -> Math.abs(v) > bound ? v : 0).toArray();
    }
    return beside(byRow(rest), outliers);
  }

  private static double[][] beside(double[][] left, double[][] right) {
    double[][] both = new double[left.length][];
    for (int i = 0; i < left.length; i++) {
      both[i] = DoubleStream.concat(Arrays.stream(left[i]), Arrays.stream(right[i])).toArray();
    }
    return both;
  }

  private static double[][] byTensor(double[][] a) {
    return byTensor(a, 127, Math::rint);
  }

  private static double[][] byRow(double[][] a, float largest, DoubleUnaryOperator round) {
    double[][] rounded = new double[a.length][];
    for (int i = 0; i < a.length; i++) {
      rounded[i] = byTensor(new double[][] {a[i]}, largest, round)[0];
    }
    return rounded;
  }

  private static double[][] byTensor(double[][] a, float largest, DoubleUnaryOperator round) {
    float absMax = 0;
    for (double[] row : a) {
      for (double value : row) {
        absMax = Math.max(absMax, (float) Math.abs(value));
      }
    }
    float scale = absMax / largest;
    double[][] rounded = new double[a.length][a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        rounded[i][j] = round.applyAsDouble((float) a[i][j] * (1 / scale)) * scale;
      }
    }
    return rounded;
  }

  private static double[][] bfloat16(double[][] a) {
    double[][] rounded = new double[a.length][a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        rounded[i][j] = Bfloat16.round((float) a[i][j]);
      }
    }
    return rounded;
  }

  private static double[][] toDouble(FloatMatrix m) {
    double[][] values = new double[m.rows()][m.cols()];
    for (int i = 0; i < m.rows(); i++) {
      for (int j = 0; j < m.cols(); j++) {
        values[i][j] = m.get(i, j);
      }
    }
    return values;
  }

  private static double[][] transpose(double[][] a) {
    double[][] t = new double[a[0].length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        t[j][i] = a[i][j];
      }
    }
    return t;
  }
}
