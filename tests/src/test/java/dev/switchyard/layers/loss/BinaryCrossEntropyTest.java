package dev.switchyard.layers.loss;

import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BinaryCrossEntropyTest {
  private final Kernels kernels = Fixtures.kernels("vector", 1);
  private final BinaryCrossEntropy loss = new BinaryCrossEntropy();

  private static FloatMatrix of(float... values) {
    return FloatMatrix.of(values, 1, values.length);
  }

  /** As the definition has it, where that can be computed. */
  @ParameterizedTest
  @CsvSource({"1, 1", "3, 5", "7, 2"})
  void isItsDefinition(int rows, int cols) {
    FloatMatrix x = gaussian(rows, cols, 1);
    FloatMatrix t = gaussian(rows, cols, 2);
    double expected = 0;
    for (int i = 0; i < x.data().length; i++) {
      t.data()[i] = Math.clamp(t.data()[i], 0f, 1f);
      double s = 1 / (1 + Math.exp(-x.data()[i]));
      expected -= t.data()[i] * Math.log(s) + (1 - t.data()[i]) * Math.log(1 - s);
    }
    Tensor y = loss.forward(Tape.none(kernels), Tensor.of(x), t);
    assertThat((double) y.value().get(0, 0)).isCloseTo(expected / (rows * cols), within(1e-6));
  }

  /** Scores that are as far as floats go: right ones cost nothing, wrong ones what they are. */
  @ParameterizedTest
  @CsvSource({
    "200, 1, 0, 0", "-200, 0, 0, 0", "200, 0, 200, 1", "-200, 1, 200, -1",
    "3e38, 1, 0, 0", "-3e38, 0, 0, 0", "3e38, 0, 3e38, 1", "-3e38, 1, 3e38, -1",
    "1e-40, 0, 0.6931472, 0.5", "-0.0, 1, 0.6931472, -0.5"
  })
  void isStable(float x, float t, float expected, float gradient) {
    Tape tape = Tape.recording(kernels);
    Tensor in = Tensor.withGrad(of(x));
    Tensor y = loss.forward(tape, in, of(t));
    assertThat(y.value().get(0, 0)).isEqualTo(expected);
    tape.backward(y);
    assertThat(in.grad().get(0, 0)).isCloseTo(gradient, within(1e-30f));
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
  void scoresThatAreNotFiniteAreForThePolicy(float x) {
    FloatMatrix scores = of(1, x);
    assertThatThrownBy(() -> loss.forward(Tape.none(kernels), Tensor.of(scores), of(0, 1)))
        .isInstanceOf(NonFiniteException.class)
        .hasMessage(
            "the binary cross-entropy of 1x2 scores is NaN (expected a number within float32)");
    Tape tape = Tape.recording(kernels.withNonFinite(NonFinitePolicy.PROPAGATE));
    Tensor in = Tensor.withGrad(scores);
    tape.backward(loss.forward(tape, in, of(0, 1)));
    assertThat(in.grad().toArray()).containsOnly(Float.NaN);
  }

  @ParameterizedTest
  @ValueSource(floats = {-0.1f, 1.1f, Float.NaN})
  void refusesTargetsThatAreNoProbabilities(float t) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> loss.forward(Tape.none(kernels), Tensor.of(of(1, 2)), of(1, t)))
        .withMessage("target (0, 1) is " + t + " (expected 0 to 1)");
  }

  @Test
  void refusesOtherShapes() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> loss.forward(Tape.none(kernels), Tensor.of(of(1, 2)), of(1)))
        .withMessage(
            "target is 1x1 but scores are 1x2 (expected equal, with at least one element)");
    FloatMatrix empty = FloatMatrix.allocate(0, 2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> loss.forward(Tape.none(kernels), Tensor.of(empty), empty))
        .withMessage(
            "target is 0x2 but scores are 0x2 (expected equal, with at least one element)");
  }
}
