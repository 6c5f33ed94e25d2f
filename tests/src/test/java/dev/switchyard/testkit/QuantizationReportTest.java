package dev.switchyard.testkit;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.FeedForward;
import dev.switchyard.layers.block.Transformer;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.opentest4j.AssertionFailedError;

class QuantizationReportTest {
  private final Kernels kernels = Fixtures.reference();
  private final FloatMatrix x = gaussian(40, 64, 1);
  private final FloatMatrix gy = gaussian(40, 64, 2);

  private QuantizationReport report(FeedForward model) {
    return QuantizationReport.of(
        kernels, model, tape -> tape.backward(model.forward(tape, Tensor.withGrad(x)), gy));
  }

  private static FeedForward model(Precision precision) {
    return new FeedForward("f", 64, 96, precision, RANDOM);
  }

  @ParameterizedTest
  @EnumSource(names = {"SWITCHBACK", "SWITCHBACK_M", "SWITCHBACK_Q", "INT8_ALL"})
  void measuresEachProductOfEachLayer(Precision precision) {
    QuantizationReport report = report(model(precision));

    assertThat(report.layers()).extracting(LayerAccuracy::name).containsExactly("f.up", "f.down");
    for (LayerAccuracy layer : report.layers()) {
      assertThat(layer.precision()).isEqualTo(precision.name());
      assertThat(layer.rows()).isEqualTo(40);
      assertThat(layer.output()).isBetween(30.0, 50.0);
      assertThat(layer.inputGradient().orElseThrow()).isBetween(30.0, 50.0);
      assertThat(layer.weightGradient().orElseThrow()).isBetween(25.0, 60.0);
      assertThat(layer.worstRows()).hasSize(3);
      assertThat(layer.worstRows().getFirst().snr()).isLessThan(layer.output());
    }
    report.assertSnr(25);
  }

  /** What the report says is what one finds by computing with both layers oneself. */
  @Test
  void agreesWithTheDefinition() {
    Linear layer = new Linear("l", 64, 32, Precision.SWITCHBACK, RANDOM);
    Linear twin = Linear.of(layer.parameters().get(0)).bias(layer.parameters().get(1)).build();
    FloatMatrix quantized = layer.forward(Tape.none(kernels), Tensor.of(x)).value();
    FloatMatrix exact = twin.forward(Tape.none(kernels), Tensor.of(x)).value();

    double snr =
        QuantizationReport.of(kernels, layer, tape -> layer.forward(tape, Tensor.of(x)))
            .layers()
            .getFirst()
            .output();

    MatrixAssertions.assertSnr(snr - 1e-9, exact, quantized);
    assertThatExceptionOfType(AssertionFailedError.class)
        .isThrownBy(() -> MatrixAssertions.assertSnr(snr + 1e-9, exact, quantized));
  }

  @Test
  void float32IsExact() {
    for (LayerAccuracy layer : report(model(Precision.FLOAT32)).layers()) {
      assertThat(layer.output()).isInfinite();
      assertThat(layer.inputGradient()).hasValue(Double.POSITIVE_INFINITY);
      assertThat(layer.weightGradient()).hasValue(Double.POSITIVE_INFINITY);
      assertThat(layer.worstRows()).isEmpty();
    }
  }

  /** The step is as if nobody had watched: same gradients, none counted twice. */
  @Test
  void leavesTheStepAsItIs() {
    FeedForward watched = model(Precision.SWITCHBACK);
    FeedForward alone = model(Precision.SWITCHBACK);
    Tape tape = Tape.recording(kernels);
    tape.backward(alone.forward(tape, Tensor.withGrad(x)), gy);

    report(watched);

    for (int i = 0; i < alone.parameters().size(); i++) {
      MatrixAssertions.assertWithin(
          0, alone.parameters().get(i).grad(), watched.parameters().get(i).grad());
    }
  }

  @Test
  void countsWhatInt8DoesToTheInput() {
    FloatMatrix input =
        FloatMatrix.of(
            new float[] {
              127, 1, 0.4f, 0, // 0.4 is lost
              0, 0, 0, 0,
              2, -2, 2, 2, // all at the ends of the range
            },
            3,
            4);
    Linear layer = new Linear("l", 4, 2, Precision.SWITCHBACK, RANDOM);

    LayerAccuracy accuracy =
        QuantizationReport.of(kernels, layer, tape -> layer.forward(tape, Tensor.of(input)))
            .layers()
            .getFirst();

    assertThat(accuracy.clipped()).isCloseTo(5.0 / 12, within(1e-12));
    assertThat(accuracy.lost()).isCloseTo(1.0 / 12, within(1e-12));
    assertThat(accuracy.zeroRows()).isEqualTo(1);
  }

  @Test
  void withoutAWayBackThereAreNoGradients() {
    FeedForward model = model(Precision.SWITCHBACK);
    model.parameters().forEach(p -> p.setFrozen(true));

    QuantizationReport forwardOnly =
        QuantizationReport.of(kernels, model, tape -> model.forward(tape, Tensor.of(x)));
    QuantizationReport frozen = report(model);

    assertThat(forwardOnly.layers())
        .extracting(LayerAccuracy::inputGradient)
        .containsOnly(OptionalDouble.empty());
    assertThat(frozen.layers())
        .allSatisfy(layer -> assertThat(layer.inputGradient()).isPresent())
        .extracting(LayerAccuracy::weightGradient)
        .containsOnly(OptionalDouble.empty());
  }

  /** Whole blocks, computed twice: recomputation runs on tapes of its own. */
  @Test
  void reachesLayersInsideAModel() {
    BlockOptions options = BlockOptions.of(64, 4, Precision.SWITCHBACK).withRecompute();
    Transformer model = new Transformer("t", 2, options, RANDOM);
    Sequences sequences = Sequences.ofLengths(12, 0, 28);

    QuantizationReport report =
        QuantizationReport.of(
            kernels,
            model,
            tape -> tape.backward(model.forward(tape, Tensor.withGrad(x), sequences), gy));

    assertThat(report.layers())
        .hasSameSizeAs(model.linears())
        .allSatisfy(layer -> assertThat(layer.weightGradient()).isPresent());
  }

  @Test
  void printsATable() {
    String[] lines = report(model(Precision.SWITCHBACK)).toString().split("\\R", -1);

    assertThat(lines).hasSize(3);
    assertThat(lines[0]).startsWith("layer").endsWith("worst rows (dB)");
    assertThat(lines[1]).matches("f\\.up +SWITCHBACK +40 +4\\d\\.\\d .*%.*\\)");
    assertThat(report(model(Precision.FLOAT32)).toString()).contains("exact");
  }

  @Test
  void namesTheLayersBelow() {
    QuantizationReport report = report(model(Precision.SWITCHBACK));

    assertThatExceptionOfType(AssertionFailedError.class)
        .isThrownBy(() -> report.assertSnr(55))
        .withMessageStartingWith(
            "signal-to-noise ratio below 55.0 dB in 2 of 2 layers: f.up, f.down")
        .withMessageContaining("SWITCHBACK");
  }

  @Test
  void refusesAStepWithoutTheModel() {
    Model model = model(Precision.SWITCHBACK);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                QuantizationReport.of(
                    kernels,
                    model,
                    tape ->
                        Linear.of(new Parameter("w", x, true)).build().forward(tape, Tensor.of(x))))
        .withMessage(
            "the step used none of the model's 2 linear layers (expected it to run the model on"
                + " the tape it is given)");
  }
}
