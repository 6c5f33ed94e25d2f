package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.norm.LayerScale;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LayerScaleTest {
  private static final Sequences SEQUENCES = Sequences.ofLengths(3, 0, 4);

  private final Kernels kernels = Fixtures.kernels("vector", 1);

  /**
   * With gains of 0 a block is the identity, and in the first step only the gains learn; int8
   * layers then quantize gradients of zeros.
   */
  @ParameterizedTest
  @EnumSource
  void zeroGainsMakeABlockTheIdentity(Precision precision) {
    TransformerBlock block =
        new TransformerBlock("b", options(precision).withLayerScale(0), RANDOM);
    FloatMatrix x = gaussian(7, 64, 1);
    FloatMatrix g = gaussian(7, 64, 2);
    Tape tape = Tape.recording(kernels);
    Tensor input = Tensor.withGrad(x);

    Tensor y = block.forward(tape, input, SEQUENCES);
    tape.backward(y, g);

    assertThat(y.value().data()).startsWith(x.data());
    assertThat(Arrays.copyOf(input.grad().data(), x.data().length)).isEqualTo(g.data());
    for (Parameter parameter : block.parameters()) {
      boolean isGain = parameter.name().endsWith(".gain");
      boolean zero =
          Arrays.equals(parameter.grad().data(), new float[parameter.grad().data().length]);
      assertThat(zero).as(parameter.name()).isEqualTo(!isGain);
    }
    assertThat(block.parameters())
        .extracting(Parameter::name)
        .endsWith("b.scale1.gain", "b.scale2.gain");
  }

  @Test
  void gainsOfOneChangeNothing() {
    FloatMatrix x = gaussian(7, 64, 1);
    TransformerBlock plain = new TransformerBlock("b", options(Precision.SWITCHBACK), RANDOM);
    TransformerBlock scaled =
        new TransformerBlock("b", options(Precision.SWITCHBACK).withLayerScale(1), RANDOM);
    Tape tape = Tape.none(kernels);
    assertThat(scaled.forward(tape, Tensor.of(x), SEQUENCES).value().data())
        .isEqualTo(plain.forward(tape, Tensor.of(x), SEQUENCES).value().data());
  }

  private static BlockOptions options(Precision precision) {
    return BlockOptions.of(64, 2, precision).withHidden(64);
  }

  @Test
  void refusesAnotherWidth() {
    LayerScale layer = new LayerScale("s", 5);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> layer.forward(Tape.none(kernels), Tensor.of(gaussian(2, 4, 1))))
        .withMessage("s.gain has 5 elements but input has 4 features (expected 5)");
  }
}
