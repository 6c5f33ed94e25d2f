package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Layers with more outputs, inputs or rows than an int32 sum can take: they train like others. */
class LongLinearTest {
  private static final List<Precision> INT8 =
      List.of(
          Precision.SWITCHBACK,
          Precision.SWITCHBACK_M,
          Precision.SWITCHBACK_Q,
          Precision.SWITCHBACK_OUTLIERS,
          Precision.INT8_ALL);

  private final Kernels kernels = Kernels.create(Parallel.ofThreads(2));

  private static Stream<Arguments> ofEachLength(Precision precision) {
    return Stream.of(
        Arguments.of(precision, 250_002, 3, 4),
        Arguments.of(precision, 3, 131_073, 4),
        Arguments.of(precision, 4, 3, 131_073));
  }

  /** Each dimension, and each precision. */
  static Stream<Arguments> layers() {
    return INT8.stream()
        .flatMap(precision -> ofEachLength(precision).skip(INT8.indexOf(precision) % 3).limit(1));
  }

  static Stream<Arguments> allLayers() {
    return INT8.stream().flatMap(LongLinearTest::ofEachLength);
  }

  /** What is listed as converted has the gradients of float32, up to what int8 rounds. */
  @ParameterizedTest
  @MethodSource("layers")
  void gradientsAreThoseOfFloats(Precision precision, int out, int in, int rows) {
    Linear layer = new Linear("l", in, out, Precision.FLOAT32, new CounterRandom(1));
    FloatMatrix x = random(rows, in, 2);
    FloatMatrix gy = random(rows, out, 3);
    List<FloatMatrix> expected = step(layer, x, gy);
    Conversion conversion =
        Precisions.convert(layer, PrecisionPolicy.to(precision).withSmallest(0));
    assertThat(conversion.converted()).hasSize(1);
    List<FloatMatrix> actual = step(layer, x, gy);
    for (int i = 0; i < expected.size(); i++) {
      double difference = 0;
      double size = 0;
      for (int j = 0; j < expected.get(i).data().length; j++) {
        double value = expected.get(i).data()[j];
        difference += Math.pow(actual.get(i).data()[j] - value, 2);
        size += value * value;
      }
      // Each operand is rounded to a 254th of its largest value, 4 times the typical one.
      assertThat(Math.sqrt(difference / size)).as("result %d", i).isLessThan(0.03);
    }
  }

  @Tag("full")
  @ParameterizedTest
  @MethodSource("allLayers")
  void gradientsOfAllAre(Precision precision, int out, int in, int rows) {
    gradientsAreThoseOfFloats(precision, out, in, rows);
  }

  private static FloatMatrix random(int rows, int cols, long seed) {
    FloatMatrix m = FloatMatrix.allocate(rows, cols);
    long key = new CounterRandom(seed).key(0);
    for (int i = 0; i < m.data().length; i++) {
      m.data()[i] = CounterRandom.gaussian(key, i);
    }
    return m;
  }

  /** y, gx, gw. */
  private List<FloatMatrix> step(Linear layer, FloatMatrix x, FloatMatrix gy) {
    layer.parameters().forEach(Parameter::zeroGrad);
    Tape tape = Tape.recording(kernels);
    Tensor input = Tensor.withGrad(x);
    Tensor y = layer.forward(tape, input);
    tape.backward(y, gy);
    List<FloatMatrix> results = new ArrayList<>();
    for (FloatMatrix m : List.of(y.value(), input.grad(), layer.weight().grad())) {
      FloatMatrix copy = FloatMatrix.allocate(m.rows(), m.cols());
      m.copyTo(copy);
      results.add(copy);
    }
    return results;
  }
}
