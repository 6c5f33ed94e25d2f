package dev.switchyard.layers.coda;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.SequenceLayer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.PostNormBlock;
import dev.switchyard.layers.block.ResidualBlock;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.norm.LayerNorm;
import dev.switchyard.layers.optim.AdamW;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The layer as a whole, against the block that it wraps. */
class ConditionalAdapterTest {
  private static final int FEATURES = 48;
  private static final Sequences RAGGED = Sequences.ofLengths(3, 0, 1, 70, 0, 13, 2);

  private final Kernels kernels = Fixtures.kernels("vector", 2);
  private final Tape none = Tape.none(kernels);

  private static ResidualBlock block(boolean preNorm, Precision precision) {
    ResidualBlock block =
        preNorm
            ? new TransformerBlock("b", FEATURES, 4, 96, precision, RANDOM)
            : new PostNormBlock("b", FEATURES, 4, 96, precision, RANDOM);
    Fixtures.disturb(block.parameters(), 0.1f);
    return block;
  }

  private static CodaOptions options(double reduction, HeavyAttention attention) {
    return CodaOptions.of(reduction, Precision.FLOAT32)
        .withAttention(attention)
        .withAdapter(8, 1, true, 0);
  }

  private static ConditionalAdapter adapter(ResidualBlock block, CodaOptions options) {
    return new ConditionalAdapter("c", block, options, RANDOM);
  }

  private static FloatMatrix input() {
    return gaussian(RAGGED.tokens(), FEATURES, 1);
  }

  private float[] output(SequenceLayer layer, FloatMatrix x, Sequences s) {
    return Fixtures.values(layer.forward(none, Tensor.of(x), s).value());
  }

  static Stream<Arguments> blocks() {
    return Stream.of(
            Precision.FLOAT32,
            Precision.BFLOAT16,
            Precision.SWITCHBACK,
            Precision.SWITCHBACK_Q,
            Precision.SWITCHBACK_OUTLIERS)
        .flatMap(
            precision ->
                Stream.of(HeavyAttention.values())
                    .flatMap(
                        attention ->
                            Stream.of(true, false)
                                .map(pre -> Arguments.of(precision, attention, pre))));
  }

  /** All chosen, weights of 1, an adapter that has not learned: not one bit is different. */
  @ParameterizedTest
  @MethodSource("blocks")
  void beginsAsTheDenseBlock(Precision precision, HeavyAttention attention, boolean preNorm) {
    ResidualBlock block = block(preNorm, precision);
    ConditionalAdapter layer = adapter(block, options(1, attention));
    ResidualBlock dense =
        attention == HeavyAttention.CHOSEN_TO_CHOSEN ? block : block.withSeparateQueries();
    assertThat(output(layer, input(), RAGGED)).isEqualTo(output(dense, input(), RAGGED));
    if (precision != Precision.SWITCHBACK) { // whose scale is that of a whole weight
      assertThat(output(layer, input(), RAGGED)).isEqualTo(output(block, input(), RAGGED));
    }
  }

  /** Bit for bit the rows of the dense layer; the others are passed by. */
  @ParameterizedTest
  @MethodSource("blocks")
  void chosenRowsAreThoseOfTheDenseBlock(
      Precision precision, HeavyAttention attention, boolean preNorm) {
    ResidualBlock block = block(preNorm, precision);
    CodaOptions options = options(3, attention).withRouter(RouterKind.FIRST);
    for (String backend : List.of("reference", "vector", "x86")) {
      Tape tape = Tape.none(Fixtures.kernels(backend, 2));
      FloatMatrix y = adapter(block, options).forward(tape, Tensor.of(input()), RAGGED).value();
      Sequences chosen = new Capacity(3).of(RAGGED);
      for (int s = 0; s < RAGGED.count(); s++) {
        int start = RAGGED.start(s);
        int k = chosen.length(s);
        FloatMatrix x = input().rowRange(start, start + RAGGED.length(s));
        FloatMatrix few = x.rowRange(0, k);
        Tensor queries = Tensor.of(few);
        // Whole sequences for queries that see all, the chosen alone for those that see these.
        FloatMatrix expected =
            attention == HeavyAttention.CHOSEN_TO_ALL
                ? block
                    .withSeparateQueries()
                    .forward(tape, Tensor.of(x), Sequences.ofLengths(x.rows()))
                    .value()
                    .rowRange(0, k)
                : (attention == HeavyAttention.CHOSEN_TO_CHOSEN
                        ? block
                        : block.withSeparateQueries())
                    .forward(tape, queries, Sequences.ofLengths(k))
                    .value();
        assertThat(Fixtures.values(y.rowRange(start, start + k)))
            .as("%s, sequence %d", backend, s)
            .isEqualTo(Fixtures.values(expected));
        assertThat(Fixtures.values(y.rowRange(start + k, start + x.rows())))
            .isEqualTo(Fixtures.values(x.rowRange(k, x.rows())));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBatchIsItsSequences(RouterKind kind) {
    for (HeavyAttention attention : HeavyAttention.values()) {
      ConditionalAdapter layer =
          adapter(block(false, Precision.SWITCHBACK), options(2.5, attention).withRouter(kind));
      Fixtures.disturb(layer.learned(), 0.1f);
      float[] whole = output(layer, input(), RAGGED);
      float[] serial =
          Fixtures.values(
              layer
                  .forward(Tape.none(Fixtures.kernels("vector", 1)), Tensor.of(input()), RAGGED)
                  .value());
      assertThat(serial).isEqualTo(whole);
      for (int s = 0; s < RAGGED.count(); s++) {
        int start = RAGGED.start(s);
        FloatMatrix x = input().rowRange(start, start + RAGGED.length(s));
        FloatMatrix part = FloatMatrix.of(whole, RAGGED.tokens(), FEATURES);
        assertThat(output(layer, x, Sequences.ofLengths(x.rows())))
            .isEqualTo(Fixtures.values(part.rowRange(start, start + x.rows())));
      }
    }
  }

  /** Counts the rows that go through it. */
  private record Counting(ResidualBlock block, List<Integer> attended, List<Integer> transformed)
      implements ResidualBlock {
    @Override
    public Tensor attend(
        Tape tape, Tensor x, Sequences ofX, Tensor context, Sequences ofContext, Tensor gates) {
      attended.add(x.rows());
      attended.add(context.rows());
      return block.attend(tape, x, ofX, context, ofContext, gates);
    }

    @Override
    public Tensor transform(Tape tape, Tensor h, Sequences sequences) {
      transformed.add(h.rows());
      return block.transform(tape, h, sequences);
    }

    @Override
    public ResidualBlock withSeparateQueries() {
      return new Counting(block.withSeparateQueries(), attended, transformed);
    }

    @Override
    public ResidualBlock withOwnNorms() {
      return new Counting(block.withOwnNorms(), attended, transformed);
    }

    @Override
    public List<LayerNorm> norms() {
      return block.norms();
    }

    @Override
    public boolean isCausal() {
      return block.isCausal();
    }

    @Override
    public List<Parameter> parameters() {
      return block.parameters();
    }

    @Override
    public List<Linear> linears() {
      return block.linears();
    }
  }

  @Test
  void onlyChosenRowsAreComputed() {
    Sequences sequences = Sequences.ofLengths(100, 20); // 34 and 7 of them
    FloatMatrix x = gaussian(120, FEATURES, 2);
    for (HeavyAttention attention : HeavyAttention.values()) {
      Counting block =
          new Counting(block(true, Precision.FLOAT32), new ArrayList<>(), new ArrayList<>());
      output(adapter(block, options(3, attention)), x, sequences);
      int keys = attention == HeavyAttention.CHOSEN_TO_ALL ? 120 : 41;
      assertThat(block.attended).containsExactly(41, keys);
      assertThat(block.transformed).containsExactly(41);
    }
    Counting block =
        new Counting(block(true, Precision.FLOAT32), new ArrayList<>(), new ArrayList<>());
    output(
        adapter(block, options(3, HeavyAttention.CHOSEN_TO_ALL).withRouter(RouterKind.NONE)),
        x,
        sequences);
    assertThat(block.attended).isEmpty();
    assertThat(block.transformed).isEmpty();
  }

  /** Half of a token's way: y = x + w (block - x) with w from the weights of the router. */
  @Test
  void gatesScaleWhatTheBlockAdds() {
    PostNormBlock block = (PostNormBlock) block(false, Precision.FLOAT32);
    CodaOptions options =
        options(2, HeavyAttention.CHOSEN_TO_CHOSEN).withGate(Gate.SCALE, SoftTopK.exact(1));
    ConditionalAdapter layer = adapter(block, options);
    Parameter u =
        layer.learned().stream().filter(p -> p.name().equals("c.router.weight")).findFirst().get();
    Arrays.fill(u.value().data(), 0); // all scores equal: weights k/n, the first chosen
    u.markChanged();
    Sequences four = Sequences.ofLengths(4);
    FloatMatrix x = gaussian(4, FEATURES, 3);
    float[] y = output(layer, x, four);
    float[] heavy = output(block, x.rowRange(0, 2), Sequences.ofLengths(2));
    for (int i = 0; i < heavy.length; i++) {
      assertThat(y[i]).isEqualTo(Math.fma(0.5f, heavy[i], 0.5f * x.data()[i]));
    }
  }

  // What learns

  @Test
  void learnsWhatItShould() {
    ResidualBlock block = block(false, Precision.SWITCHBACK);
    List<float[]> before = block.parameters().stream().map(p -> p.value().data().clone()).toList();
    ConditionalAdapter layer = adapter(block, options(2, HeavyAttention.CHOSEN_TO_ALL));
    assertThat(layer.learned().stream().map(Parameter::name))
        .containsExactly(
            "c.adapter.down.weight",
            "c.adapter.down.bias",
            "c.adapter.up.weight",
            "c.adapter.up.bias",
            "c.router.weight",
            "c.norm.gamma",
            "c.norm.beta",
            "b.norm1.gamma",
            "b.norm1.beta",
            "b.norm2.gamma",
            "b.norm2.beta");
    assertThat(layer.learned()).noneMatch(Parameter::frozen);
    assertThat(layer.base()).hasSize(10).allMatch(Parameter::frozen);
    assertThat(layer.parameters()).hasSize(21).doesNotHaveDuplicates();
    assertThat(layer.linears()).hasSize(7);

    List<float[]> base = layer.base().stream().map(p -> p.value().data().clone()).toList();
    AdamW optimizer = new AdamW(kernels, layer.learned(), AdamW.Settings.DEFAULT);
    List<float[]> learned = layer.learned().stream().map(p -> p.value().data().clone()).toList();
    train(layer, optimizer);
    for (int i = 0; i < learned.size(); i++) {
      assertThat(layer.learned().get(i).value().data())
          .as(layer.learned().get(i).name())
          .isNotEqualTo(learned.get(i));
    }
    for (int i = 0; i < base.size(); i++) {
      assertThat(layer.base().get(i).value().data()).isEqualTo(base.get(i));
    }
    // Nor has the block, whose normalizations are others.
    for (int i = 0; i < before.size(); i++) {
      assertThat(block.parameters().get(i).value().data()).isEqualTo(before.get(i));
    }
    assertThat(optimizer.state()).hasSize(learned.size());
  }

  @Test
  void theBaseCanLearnToo() {
    ConditionalAdapter layer =
        adapter(block(true, Precision.SWITCHBACK), options(2, HeavyAttention.CHOSEN_TO_ALL));
    layer.setBaseFrozen(false);
    List<float[]> base = layer.base().stream().map(p -> p.value().data().clone()).toList();
    train(layer, new AdamW(kernels, layer.parameters(), AdamW.Settings.DEFAULT));
    for (int i = 0; i < base.size(); i++) {
      assertThat(layer.base().get(i).value().data()).isNotEqualTo(base.get(i));
    }
    layer.setBaseFrozen(true);
    assertThat(layer.base()).allMatch(Parameter::frozen);
  }

  private void train(ConditionalAdapter layer, AdamW optimizer) {
    Tape tape = Tape.recording(kernels);
    for (int step = 0; step < 3; step++) {
      Tensor y = layer.forward(tape, Tensor.of(input()), RAGGED);
      tape.backward(y, gaussian(RAGGED.tokens(), FEATURES, 10 + step));
      optimizer.step(0.01f);
      optimizer.zeroGrad();
      tape.reset();
    }
  }

  // What is refused, and the rest

  @Test
  void causalBlocksAreRefused() {
    TransformerBlock causal =
        new TransformerBlock(
            "b", BlockOptions.of(8, 2, Precision.FLOAT32).withCausalAttention(), RANDOM);
    assertThatThrownBy(() -> adapter(causal, options(3, HeavyAttention.CHOSEN_TO_ALL)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "c would choose among all tokens of a sequence, those that are not yet known to a"
                + " causal block too (expected one that attends both ways; for generation leave the"
                + " decoder dense, as CoDA does)");
    assertThat(causal.parameters()).noneMatch(Parameter::frozen);
  }

  @Test
  void mergingIsRefused() {
    ConditionalAdapter layer =
        adapter(block(true, Precision.FLOAT32), options(3, HeavyAttention.CHOSEN_TO_ALL));
    assertThatThrownBy(layer::merge)
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageStartingWith("a conditional adapter cannot be merged into its block: which");
  }

  @Test
  void badOptionsAreRefused() {
    CodaOptions options = options(3, HeavyAttention.SEPARATE_ROUTERS);
    assertThatThrownBy(() -> options.withReduction(0.9)).hasMessageContaining("reduction is 0.9");
    assertThatThrownBy(() -> options.withAdapter(8, 0, true, 0))
        .hasMessage("scale is 0.0 (expected a number but 0)");
    ResidualBlock block = block(true, Precision.FLOAT32);
    assertThatThrownBy(() -> adapter(block, options.withAdapter(0, 1, true, 0)))
        .hasMessage("an adapter of 48 features has a bottleneck of 0 (expected 1 or more of each)");
    assertThatThrownBy(() -> adapter(block, options.withAdapter(1, 1, true, 1)))
        .hasMessageContaining("dropout is 1.0");
    assertThatThrownBy(
            () -> new ConditionalAdapter("c", block, options, List.of(FixedRouter.all()), RANDOM))
        .hasMessage("c has 1 routers (expected 3)");
    ConditionalAdapter layer = adapter(block, options);
    assertThatThrownBy(() -> layer.forward(none, Tensor.of(gaussian(4, FEATURES, 1)), RAGGED))
        .hasMessageContaining("input has 4 rows");
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, 2, 7})
  void anotherReductionWithTheSameParameters(double reduction) {
    ConditionalAdapter three =
        adapter(block(true, Precision.FLOAT32), options(3, HeavyAttention.SEPARATE_ROUTERS));
    ConditionalAdapter other = three.withReduction(reduction);
    assertThat(other.parameters()).isEqualTo(three.parameters());
    assertThat(other.options().reduction()).isEqualTo(reduction);
    output(other, input(), RAGGED);
    double share = other.statistics().getFirst().selectedShare();
    assertThat(share).isBetween(1 / reduction, 1 / reduction + 5.0 / RAGGED.tokens());
    assertThat(other.statistics()).hasSize(3);
  }

  /** Only the adapter: all rows are x + scale adapter(norm(x)), with no trace of the block. */
  @Test
  void theAdapterAlone() {
    CodaOptions options =
        options(3, HeavyAttention.CHOSEN_TO_ALL)
            .withRouter(RouterKind.NONE)
            .withAdapter(8, 4, false, 0);
    ConditionalAdapter layer = adapter(block(true, Precision.FLOAT32), options);
    Fixtures.disturb(layer.learned(), 0.1f);
    ParallelAdapter same = new ParallelAdapter("c", FEATURES, 8, Precision.FLOAT32, 0, RANDOM);
    for (int i = 0; i < 4; i++) {
      same.parameters().get(i).assign(layer.learned().get(i).value());
    }
    float[] light = Fixtures.values(same.forward(none, Tensor.of(input())).value());
    float[] y = output(layer, input(), RAGGED);
    for (int i = 0; i < y.length; i++) {
      assertThat(y[i]).isEqualTo(Math.fma(4, light[i], input().data()[i]));
    }
  }
}
