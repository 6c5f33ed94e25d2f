package dev.switchyard.testkit;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.opentest4j.AssertionFailedError;

class GradientCheckTest {
  private final FloatMatrix input = gaussian(3, 4, 1);

  /** y = gain x, whose gradients are off by a factor. */
  private record Scaled(Parameter gain, float errorOfInput, float errorOfGain) {
    Tensor forward(Tape tape, Tensor x) {
      float factor = gain.value().get(0, 0);
      FloatMatrix y = tape.result(x.rows(), x.cols());
      x.value().copyTo(y);
      tape.kernels().elementwise().scale(y.data(), x.rows() * x.cols(), factor);
      return tape.node(y)
          .from(x)
          .uses(gain)
          .keeps(x.value())
          .backward(
              (gy, kept) -> {
                FloatMatrix gx = tape.take(x.rows(), x.cols());
                float sum = 0;
                for (int i = 0; i < x.rows(); i++) {
                  for (int j = 0; j < x.cols(); j++) {
                    gx.set(i, j, errorOfInput * factor * gy.get(i, j));
                    sum += gy.get(i, j) * kept.floats(0).get(i, j);
                  }
                }
                gain.grad().data()[0] += errorOfGain * sum;
                tape.addGrad(x, gx);
              });
    }
  }

  private void check(float errorOfInput, float errorOfGain) {
    Parameter gain = Parameter.vector("gain", 1.5f);
    Scaled scaled = new Scaled(gain, errorOfInput, errorOfGain);
    GradientCheck.check(Fixtures.reference(), scaled::forward, List.of(gain), input);
  }

  @Test
  void acceptsRightGradients() {
    check(1, 1);
    GradientCheck.check(
        Fixtures.reference(), new Linear("l", 4, 2, Precision.FLOAT32, RANDOM), input);
  }

  @Test
  void doesNotChangeValues() {
    FloatMatrix before = input.copy();
    Linear layer = new Linear("l", 4, 2, Precision.FLOAT32, RANDOM);
    List<FloatMatrix> values = layer.parameters().stream().map(p -> p.value().copy()).toList();

    GradientCheck.check(Fixtures.reference(), layer, input);
    GradientCheck.check(Fixtures.reference(), layer, input); // nor depend on gradients of before

    MatrixAssertions.assertWithin(0, before, input);
    for (int i = 0; i < values.size(); i++) {
      MatrixAssertions.assertWithin(0, values.get(i), layer.parameters().get(i).value());
    }
  }

  @Test
  void namesTheElementWhoseGradientIsWrong() {
    assertThatExceptionOfType(AssertionFailedError.class)
        .isThrownBy(() -> check(1.001f, 1))
        .withMessageStartingWith("gradient of input, row 0, column 0 of 3x4: computed ")
        .withMessageContaining("finite differences give ")
        .withMessageNotContaining("kink")
        .satisfies(error -> assertThat(error.isExpectedDefined()).isTrue());
    assertThatExceptionOfType(AssertionFailedError.class)
        .isThrownBy(() -> check(1, 0.999f))
        .withMessageStartingWith("gradient of gain, row 0, column 0 of 1x1: computed ");
  }

  @Test
  void aGradientThatIsNoNumberIsWrong() {
    assertThatExceptionOfType(AssertionFailedError.class)
        .isThrownBy(() -> check(Float.NaN, 1))
        .withMessageContaining("computed NaN");
  }

  @Test
  void gradientsTooSmallToTellFail() {
    Parameter gain = Parameter.vector("gain", 0);
    Scaled zero = new Scaled(gain, 1, 1);
    assertThatExceptionOfType(AssertionFailedError.class)
        .isThrownBy(
            () -> GradientCheck.check(Fixtures.reference(), zero::forward, List.of(gain), input))
        .withMessageStartingWith("gradient of input is 0.00 at most, too small for a bound of ");
  }

  @Test
  void refusesLayersThatRound() {
    for (Precision precision : Precision.values()) {
      Linear layer = new Linear("l", 4, 2, precision, RANDOM);
      if (precision != Precision.FLOAT32) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> GradientCheck.check(Fixtures.reference(), layer, input))
            .withMessage(
                "l computes in "
                    + precision
                    + ", but finite differences need FLOAT32: a layer that rounds is a staircase"
                    + " (expected that, or a QuantizationReport)");
      }
    }
  }

  /** max(x, 0), with its kink at the input or within the step of it; or not so near. */
  @Test
  void namesAKink() {
    for (float kink : new float[] {0, 1f / 64, -1f / 40, 1f / 100, 1f / 25}) {
      FloatMatrix at = FloatMatrix.of(new float[] {1, -1, 2 + kink}, 1, 3);
      assertThatExceptionOfType(AssertionFailedError.class)
          .as("%s", kink)
          .isThrownBy(() -> checkRelu(at, 2))
          .withMessageContaining("row 0, column 2 of 1x3")
          .withMessageContaining("so there is a kink within the step of 0.03125 (expected values");
    }
    checkRelu(FloatMatrix.of(new float[] {1, -1, 2.07f}, 1, 3), 2);
  }

  private static void checkRelu(FloatMatrix at, float kink) {
    GradientCheck.check(
        Fixtures.reference(),
        (tape, x) -> {
          FloatMatrix y = tape.result(x.rows(), x.cols());
          for (int j = 0; j < x.cols(); j++) {
            y.set(0, j, Math.max(x.value().get(0, j), kink));
          }
          return tape.node(y)
              .from(x)
              .keeps(x.value())
              .backward(
                  (gy, kept) -> {
                    FloatMatrix gx = tape.take(x.rows(), x.cols());
                    for (int j = 0; j < x.cols(); j++) {
                      gx.set(0, j, kept.floats(0).get(0, j) > kink ? gy.get(0, j) : 0);
                    }
                    tape.addGrad(x, gx);
                  });
        },
        List.of(),
        at);
  }

  /** Its storage goes to the next layer: a training would compute wrongly, without a word. */
  @Test
  void findsALayerThatForgetsToKeepWhatItReads() {
    GradientCheck.Computation square =
        (tape, x) -> {
          FloatMatrix y = tape.result(x.rows(), x.cols());
          for (int i = 0; i < x.rows(); i++) {
            for (int j = 0; j < x.cols(); j++) {
              y.set(i, j, x.value().get(i, j) * x.value().get(i, j));
            }
          }
          FloatMatrix read = x.value();
          return tape.node(y)
              .from(x)
              .backward(
                  (gy, kept) -> {
                    FloatMatrix gx = tape.take(x.rows(), x.cols());
                    for (int i = 0; i < x.rows(); i++) {
                      for (int j = 0; j < x.cols(); j++) {
                        gx.set(i, j, 2 * read.get(i, j) * gy.get(i, j));
                      }
                    }
                    tape.addGrad(x, gx);
                  });
        };
    assertThatExceptionOfType(AssertionFailedError.class)
        .isThrownBy(() -> GradientCheck.check(Fixtures.reference(), square, List.of(), input))
        .withMessageContaining("computed NaN")
        .withMessageEndingWith(
            "; a layer that reads on the way back what it does not keep (Node.keeps) gets NaN"
                + " here");
  }

  /** What a tape refuses is a failure of the layer, with what it has to do. */
  @Test
  void findsALayerThatForgetsAGradient() {
    GradientCheck.Computation forgetful =
        (tape, x) -> {
          FloatMatrix y = tape.result(x.rows(), x.cols());
          x.value().copyTo(y);
          return tape.node(y).from(x).backward((gy, kept) -> {});
        };
    assertThatExceptionOfType(AssertionFailedError.class)
        .isThrownBy(() -> GradientCheck.check(Fixtures.reference(), forgetful, List.of(), input))
        .withMessageStartingWith("the way back failed: ")
        .withMessageEndingWith(
            "(expected a layer that names what it reads there in Node.keeps, and adds a gradient to"
                + " each tensor that it is from)");
  }

  /** The check knows of it, the tape does not. */
  @Test
  void namesAParameterThatWasNotRecorded() {
    Parameter gain = Parameter.vector("gain", 1.5f);
    Parameter unknown = Parameter.vector("unknown", 1.5f);
    Scaled scaled = new Scaled(gain, 1, 1);
    assertThatExceptionOfType(AssertionFailedError.class)
        .isThrownBy(
            () ->
                GradientCheck.check(
                    Fixtures.reference(),
                    (tape, x) -> new Scaled(unknown, 1, 1).forward(tape, scaled.forward(tape, x)),
                    List.of(gain, unknown, Parameter.vector("forgotten", 1)),
                    input))
        .withMessage(
            "parameter forgotten 1x1 was not recorded: no layer that the output depends on names it"
                + " in Node.uses (expected that of each that is computed with, or freezing and"
                + " changing it go unnoticed)");
  }

  @Test
  void refusesViews() {
    FloatMatrix view = gaussian(5, 6, 2).rowRange(1, 4).columnRange(0, 4);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                GradientCheck.check(
                    Fixtures.reference(), new Linear("l", 4, 2, Precision.FLOAT32, RANDOM), view))
        .withMessage(
            "input is a 3x4 view of a larger array (expected a matrix alone in its array, as"
                + " copy() makes)");
  }
}
