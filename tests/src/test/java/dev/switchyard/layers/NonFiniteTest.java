package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.block.Dropout;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.optim.GradientClipping;
import dev.switchyard.layers.optim.StableAdamW;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A step that meets a number that is not finite, in every precision, and what comes after it. */
class NonFiniteTest {
  /** Where the number comes in. */
  enum Where {
    INPUT,
    LOSS_GRADIENT
  }

  private static final int ROWS = 12;

  /** A network with random masks and its optimizer. */
  private static final class Training {
    private final Kernels kernels;
    private final Linear first;
    private final Dropout dropout = new Dropout(0.2f, new CounterRandom(9));
    private final Linear second;
    private final CrossEntropy loss = new CrossEntropy();
    private final StableAdamW optimizer;
    private final Tape tape;

    Training(Precision precision, NonFinitePolicy policy) {
      kernels = Kernels.create(Parallel.ofThreads(2)).withNonFinite(policy);
      first = new Linear("first", 20, 24, precision, new CounterRandom(1));
      second = new Linear("second", 24, 5, precision, new CounterRandom(2));
      optimizer = new StableAdamW(kernels, parameters(), StableAdamW.Settings.DEFAULT);
      tape = Tape.recording(kernels);
    }

    List<Parameter> parameters() {
      return Stream.concat(first.parameters().stream(), second.parameters().stream()).toList();
    }

    void step(int step, float factor, float gradient) {
      FloatMatrix x = FloatMatrix.allocate(ROWS, 20);
      long key = new CounterRandom(step).key(0);
      for (int i = 0; i < x.data().length; i++) {
        x.data()[i] = CounterRandom.gaussian(key, i);
      }
      x.data()[37] *= factor;
      int[] labels = new int[ROWS];
      Arrays.setAll(labels, i -> (i + step) % 5);
      Tensor y = second.forward(tape, dropout.forward(tape, first.forward(tape, Tensor.of(x))));
      Tensor value = loss.forward(tape, y, labels);
      tape.backward(value, FloatMatrix.of(new float[] {gradient}, 1, 1));
      optimizer.step(0.01f);
    }

    void bad(Where where, float value) {
      step(2, where == Where.INPUT ? value : 1, where == Where.LOSS_GRADIENT ? value : 1);
    }

    /** As training loops do, whatever has happened. */
    void endStep() {
      optimizer.zeroGrad();
      tape.reset();
    }

    Training good(int step) {
      step(step, 1, 1);
      endStep();
      return this;
    }

    List<float[]> weights() {
      return parameters().stream().map(p -> p.value().data().clone()).toList();
    }
  }

  static Stream<Arguments> all() {
    return Arrays.stream(Precision.values())
        .flatMap(precision -> Arrays.stream(Where.values()).map(w -> Arguments.of(precision, w)));
  }

  /** A run in whose second step nothing was done at all. */
  private static List<float[]> withoutTheStep(Precision precision) {
    Training training = new Training(precision, NonFinitePolicy.REJECT).good(1);
    training.endStep();
    return training.good(3).good(4).weights();
  }

  @ParameterizedTest
  @MethodSource("all")
  void aRefusedStepLeavesNoTrace(Precision precision, Where where) {
    for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      Training training = new Training(precision, NonFinitePolicy.REJECT).good(1);
      List<float[]> before = training.weights();
      assertThatExceptionOfType(NonFiniteException.class)
          .isThrownBy(() -> training.bad(where, value));
      assertThat(training.weights()).usingRecursiveComparison().isEqualTo(before);
      training.endStep();
      assertThat(training.good(3).good(4).weights())
          .usingRecursiveComparison()
          .isEqualTo(withoutTheStep(precision));
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void aPropagatedStepIsSkipped(Precision precision, Where where) {
    Training training = new Training(precision, NonFinitePolicy.PROPAGATE).good(1);
    training.bad(where, Float.NaN);
    assertThat(training.optimizer.skipped())
        .containsOnlyKeys("first.weight", "first.bias", "second.weight", "second.bias")
        .containsValue(1L);
    training.endStep();
    assertThat(training.good(3).good(4).weights())
        .usingRecursiveComparison()
        .isEqualTo(withoutTheStep(precision));
  }

  @Test
  void aWeightIsNamed() {
    Linear layer = new Linear("l", 3, 2, Precision.SWITCHBACK_Q, new CounterRandom(1));
    layer.weight().value().set(1, 2, Float.NaN);
    Tape tape = Tape.recording(Kernels.create(Parallel.serial()));
    assertThatThrownBy(() -> layer.forward(tape, Tensor.of(FloatMatrix.allocate(4, 3))))
        .isInstanceOf(NonFiniteException.class)
        .hasMessage(
            "the weight of the layer with weight l.weight 2x3 cannot be quantized: element (1, 2)"
                + " of the 2x3 matrix to quantize is NaN (expected a finite number)");
  }

  /** Norm and scaling of gradients of every size, whose squares a float cannot hold. */
  @Test
  void clippingTakesGradientsOfEverySize() {
    Kernels kernels = Kernels.create(Parallel.serial());
    for (float size : new float[] {9.8e-45f, 1e-30f, 1e-19f, 1, 1e19f, 1e25f, 8e37f}) {
      for (float maxNorm : new float[] {1e-30f, 1, 1e30f}) {
        Parameter a = Parameter.vector("a", new float[5000]);
        Parameter b = Parameter.vector("b", new float[7]);
        double squares = 0;
        for (Parameter p : List.of(a, b)) {
          float[] g = p.grad().data();
          for (int i = 0; i < g.length; i++) {
            g[i] = size * (i % 7 - 3);
            squares += (double) g[i] * g[i];
          }
        }
        double norm = Math.sqrt(squares);
        float[] before = b.grad().data().clone();
        assertThat(GradientClipping.clip(kernels, List.of(a, b), maxNorm))
            .isCloseTo(norm, within(1e-5 * norm));
        double factor = Math.min(1, maxNorm / norm);
        for (int i = 0; i < 7; i++) {
          assertThat((double) b.grad().data()[i])
              .as("%s to %s", size, maxNorm)
              .isCloseTo(
                  factor * before[i],
                  within(1e-5 * factor * Math.abs(before[i]) + Float.MIN_VALUE));
        }
      }
    }
  }

  @Test
  void clippingRefusesAParameterTwice() {
    Parameter p = Parameter.vector("p", 3, 4);
    p.grad().data()[0] = 5;
    assertThatThrownBy(
            () -> GradientClipping.clip(Kernels.create(Parallel.serial()), List.of(p, p), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("parameter p 1x2 is listed twice (expected once: names are unique in a model)");
    assertThat(p.grad().data()).containsExactly(5, 0);
  }
}
