package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Dropout;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.coda.ConditionalAdapter;
import dev.switchyard.layers.coda.RouterStatistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Gradient checkpointing: the same bits for less memory. */
class RecomputedTest {
  private static final Sequences SEQUENCES = Sequences.ofLengths(3, 0, 7, 5);

  private final Kernels kernels = Fixtures.kernels("vector", 2);

  private static BlockOptions options(Precision precision) {
    return BlockOptions.of(8, 2, precision)
        .withCausalAttention()
        .withLayerScale(0.5f)
        .withDropout(0.2f)
        .withStochasticDepth(0.3f);
  }

  /** What two steps compute: outputs, input gradients, parameter gradients. */
  private List<float[]> run(Transformer blocks, Tape tape) {
    List<float[]> results = new ArrayList<>();
    Dropout after = new Dropout(0.5f, RANDOM); // its mask must not move either
    for (int step = 0; step < 2; step++) {
      Tensor x = Tensor.withGrad(gaussian(15, 8, 1));
      Tensor y = after.forward(tape, blocks.forward(tape, x, SEQUENCES));
      results.add(Fixtures.values(y.value()));
      tape.backward(y, gaussian(15, 8, 2));
      results.add(Fixtures.values(x.grad()));
      tape.reset();
    }
    blocks.parameters().forEach(parameter -> results.add(Fixtures.values(parameter.grad())));
    return results;
  }

  @ParameterizedTest
  @EnumSource
  void givesTheSameBits(Precision precision) {
    BlockOptions options = options(precision);
    List<float[]> kept = run(new Transformer("t", 3, options, RANDOM), Tape.recording(kernels));
    List<float[]> recomputed =
        run(new Transformer("t", 3, options.withRecompute(), RANDOM), Tape.recording(kernels));
    assertThat(recomputed).usingElementComparator(Arrays::compare).isEqualTo(kept);
  }

  @Test
  void keepsTheInputsOfBlocksAlone() {
    Tape tape = Tape.recording(kernels);
    Transformer blocks =
        new Transformer("t", 3, options(Precision.FLOAT32).withRecompute(), RANDOM);
    blocks.forward(tape, Tensor.of(gaussian(15, 8, 1)), SEQUENCES);
    assertThat(tape.bytesForBackward()).isEqualTo(3 * 15 * 8 * Float.BYTES);
  }

  @Test
  void anInputThatWantsNoGradientGetsNone() {
    Transformer blocks =
        new Transformer("t", 1, options(Precision.FLOAT32).withRecompute(), RANDOM);
    Tape tape = Tape.recording(kernels);
    tape.backward(
        blocks.forward(tape, Tensor.of(gaussian(15, 8, 1)), SEQUENCES), gaussian(15, 8, 2));
    Parameter last = blocks.parameters().getLast();
    assertThat(Fixtures.values(last.grad())).isNotEqualTo(new float[last.value().cols()]);
  }

  @Test
  void parametersMustNotChangeInBetween() {
    Transformer blocks =
        new Transformer("t", 1, options(Precision.FLOAT32).withRecompute(), RANDOM);
    Tape tape = Tape.recording(kernels);
    Tensor y = blocks.forward(tape, Tensor.of(gaussian(15, 8, 1)), SEQUENCES);
    blocks.parameters().get(3).markChanged();
    FloatMatrix g = gaussian(15, 8, 2);
    assertThatIllegalStateException()
        .isThrownBy(() -> tape.backward(y, g))
        .withMessageContaining("was changed between forward and backward");
  }

  /** What is told and counted is the same, computed once, twice, or four times. */
  @Test
  void watchersAndStatisticsAreToldOnce() {
    List<String> expected = told(adapter -> adapter);
    assertThat(expected).hasSizeGreaterThan(20).anyMatch(line -> line.startsWith("gradient"));
    assertThat(told(Recomputed::new)).isEqualTo(expected);
    assertThat(told(adapter -> new Recomputed(new Recomputed(adapter)))).isEqualTo(expected);
  }

  private List<String> told(UnaryOperator<SequenceLayer> wrapped) {
    TransformerBlock block = new TransformerBlock("b", 8, 2, 16, Precision.FLOAT32, RANDOM);
    ConditionalAdapter adapter =
        new ConditionalAdapter("c", block, CodaOptions.of(2, Precision.FLOAT32), RANDOM);
    List<String> told = new ArrayList<>();
    adapter.observe(selection -> told.add("chosen " + selection.chosen().tokens()));
    Tape tape = Tape.recording(kernels);
    tape.watch(
        (layer, x) -> {
          told.add(layer.name() + " " + Arrays.hashCode(Fixtures.values(x)));
          return gy ->
              told.add("gradient of " + layer.name() + " " + Arrays.hashCode(Fixtures.values(gy)));
        });
    for (int step = 0; step < 2; step++) {
      SequenceLayer layer =
          step == 0 ? adapter : wrapped.apply(adapter); // means differ if not once
      Tensor y = layer.forward(tape, Tensor.of(gaussian(15, 8, step)), SEQUENCES);
      tape.backward(y, gaussian(15, 8, 2));
      tape.reset();
    }
    RouterStatistics counted = adapter.statistics().getFirst();
    told.add("mean entropy " + counted.entropy());
    return told;
  }

  @Test
  void inferenceComputesOnce() {
    BlockOptions options = options(Precision.FLOAT32);
    Tensor x = Tensor.of(gaussian(15, 8, 1));
    Tape tape = Tape.none(kernels);
    Transformer plain = new Transformer("t", 2, options, RANDOM);
    Transformer recomputed = new Transformer("t", 2, options.withRecompute(), RANDOM);
    assertThat(Fixtures.values(recomputed.forward(tape, x, SEQUENCES).value()))
        .isEqualTo(Fixtures.values(plain.forward(tape, x, SEQUENCES).value()));
  }
}
