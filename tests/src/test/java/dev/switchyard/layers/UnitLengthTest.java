package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.loss.ContrastiveLoss;
import dev.switchyard.layers.norm.L2Normalization;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows scaled to length 1, and the contrastive loss of them. */
class UnitLengthTest {
  private final Kernels kernels = Kernels.create(Parallel.serial());

  private static FloatMatrix random(int rows, int cols, double size) {
    FloatMatrix x = FloatMatrix.allocate(rows, cols);
    long key = new CounterRandom(1).key(0);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = (float) (size * CounterRandom.gaussian(key, i));
    }
    return x;
  }

  /** Forward and back at every size: never a NaN, and what float32 can hold is right. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-44, 3e-39, 1e-38, 1e-30, 1, 1e19, 1e30, 5e37})
  void rowsOfEverySize(double size) {
    FloatMatrix x = random(3, 10, size);
    float[] row = x.data();
    FloatMatrix gy = random(3, 10, 1e-3);
    System.arraycopy(row, 10, gy.data(), 10, 10); // along the row: no gradient
    for (int j = 10; j < 20; j++) {
      gy.data()[j] = (float) (row[j] / size);
    }
    Tape tape = Tape.recording(kernels);
    Tensor input = Tensor.withGrad(x);
    Tensor y = new L2Normalization().forward(tape, input);
    tape.backward(y, gy);
    for (int i = 0; i < 3; i++) {
      double squares = 0;
      double along = 0;
      for (int j = 0; j < 10; j++) {
        squares += (double) x.get(i, j) * x.get(i, j);
        along += (double) x.get(i, j) * gy.get(i, j);
      }
      double length = Math.sqrt(squares);
      for (int j = 0; j < 10; j++) {
        double unit = x.get(i, j) / length;
        assertThat((double) y.value().get(i, j)).isCloseTo(unit, within(1e-7));
        double expected = (gy.get(i, j) - along / length * unit) / length;
        float actual = input.grad().get(i, j);
        assertThat(actual).isNotNaN();
        assertThat((double) actual)
            .isCloseTo(
                (float) expected, within(1e-6 * Math.abs(expected) + 1e-6 / length / (1 + size)));
      }
    }
  }

  /** Equal pairs at the highest inverse temperature: a cross-entropy is never below 0. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void aContrastiveLossIsNeverBelowZero(long seed) {
    ContrastiveLoss loss = new ContrastiveLoss("c");
    loss.parameters().getFirst().value().set(0, 0, 10);
    assertThat(loss.scale()).isCloseTo(100, within(1e-4f));
    FloatMatrix x = FloatMatrix.allocate(16, 24);
    long key = new CounterRandom(seed).key(0);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = CounterRandom.gaussian(key, i);
    }
    Tape tape = Tape.recording(kernels);
    float value = loss.forward(tape, Tensor.of(x), Tensor.of(x)).value().get(0, 0);
    assertThat(value).isBetween(0f, 1e-3f);
  }

  @Test
  void aContrastiveLossNamesThePairThatIsNotFinite() {
    FloatMatrix x = random(3, 4, 1);
    FloatMatrix bad = random(3, 4, 1);
    bad.set(1, 2, Float.NaN);
    Tape tape = Tape.recording(kernels);
    assertThatThrownBy(() -> new ContrastiveLoss("c").forward(tape, Tensor.of(x), Tensor.of(bad)))
        .isInstanceOf(NonFiniteException.class)
        .hasMessageMatching("the contrastive loss of pair . of 3 is NaN .*");
  }
}
