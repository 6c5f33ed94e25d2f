package dev.switchyard.layers.coda;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.PostNormBlock;
import dev.switchyard.layers.block.ResidualBlock;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.testkit.GradientCheck;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every gradient of the layer against finite differences, unselected tokens included, for every
 * router, form of attention and block, and for k from 0 to n.
 *
 * <p>The output jumps where another token is chosen and has a kink where a weight reaches 1, so
 * scores have to stay apart while an element moves by 1/64: a router looks at the first feature
 * alone at first, in which the tokens of a sequence differ by a half and more.
 */
class CodaGradientsTest {
  private static final int FEATURES = 6;
  private static final Sequences RAGGED = Sequences.ofLengths(3, 0, 1, 7, 2);
  private static final float STEP = 1f / 128;
  private static final float[] FIRST = {
    0.3f, -1.2f, 1.9f, 0.6f, 1.4f, -2.3f, 0.2f, 2.1f, -0.5f, -1.3f, 3.1f, -0.9f, 0.8f
  };

  private final Kernels kernels = Fixtures.kernels("vector", 2);

  private static ResidualBlock block(boolean preNorm) {
    return preNorm
        ? new TransformerBlock("b", FEATURES, 2, 7, Precision.FLOAT32, RANDOM)
        : new PostNormBlock("b", FEATURES, 2, 7, Precision.FLOAT32, RANDOM);
  }

  /** With weights that sum to k in training too: what is not trained is what is differentiated. */
  private static CodaOptions options(
      RouterKind kind, HeavyAttention attention, double reduction, boolean normalize) {
    return CodaOptions.of(reduction, Precision.FLOAT32)
        .withRouter(kind)
        .withAttention(attention)
        .withGate(Gate.SCALE, new SoftTopK(new SoftTopK.Exact(), EpsSchedule.constant(0.8), 1))
        .withAdapter(3, 2, normalize, 0);
  }

  private static ConditionalAdapter layer(ResidualBlock block, CodaOptions options) {
    ConditionalAdapter layer = new ConditionalAdapter("c", block, options, RANDOM);
    layer.setBaseFrozen(false);
    Fixtures.disturb(layer.parameters(), 0.3f);
    aim(layer);
    return layer;
  }

  /** Makes scores of about the first feature. */
  private static void aim(ConditionalAdapter layer) {
    for (Parameter parameter : layer.parameters()) {
      if (parameter.name().endsWith("outer.weight")) {
        float[] u = parameter.value().data();
        for (int j = 0; j < u.length; j++) {
          u[j] = j == 0 ? 1 : 0.1f * u[j];
        }
        parameter.markChanged();
      }
    }
  }

  /**
   * Features of deviation 2, so that no normalization bends much within a step; with seeds at which
   * no choice, of attended tokens too, is closer than the steps.
   */
  private static FloatMatrix input(HeavyAttention attention, boolean preNorm) {
    long seed = attention == HeavyAttention.SEPARATE_ROUTERS && !preNorm ? 21 : 1;
    FloatMatrix x = gaussian(RAGGED.tokens(), FEATURES, seed);
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 1; j < FEATURES; j++) {
        x.set(i, j, (preNorm ? 2 : 1) * x.get(i, j));
      }
      x.set(i, 0, FIRST[i]);
    }
    return x;
  }

  static Stream<Arguments> layers() {
    return layers(1, 3);
  }

  /** Which leave out a part of a token, or all but one token of each sequence. */
  static Stream<Arguments> otherLayers() {
    return layers(1.7, 100);
  }

  private static Stream<Arguments> layers(double... reductions) {
    return Stream.of(RouterKind.values())
        .filter(kind -> kind != RouterKind.RANDOM) // chooses others in training
        .flatMap(
            kind ->
                Stream.of(HeavyAttention.values())
                    .flatMap(
                        attention ->
                            DoubleStream.of(reductions)
                                .filter(r -> kind.leavesSomeOut() || r == 3)
                                .boxed()
                                .flatMap(
                                    r ->
                                        Stream.of(true, false)
                                            .map(pre -> Arguments.of(kind, attention, r, pre)))));
  }

  @ParameterizedTest
  @MethodSource("layers")
  void everyGradient(RouterKind kind, HeavyAttention attention, double reduction, boolean preNorm) {
    ConditionalAdapter layer = layer(block(preNorm), options(kind, attention, reduction, false));
    GradientCheck.check(
        kernels,
        (tape, x) -> layer.forward(tape, x, RAGGED),
        used(layer, kind, attention, reduction),
        input(attention, preNorm),
        STEP);
  }

  @Tag("full")
  @ParameterizedTest
  @MethodSource("otherLayers")
  void everyGradientToo(
      RouterKind kind, HeavyAttention attention, double reduction, boolean preNorm) {
    everyGradient(kind, attention, reduction, preNorm);
  }

  /** Without what has no part in the result, where the check would miss any slope at all. */
  private static List<Parameter> used(
      ConditionalAdapter layer, RouterKind kind, HeavyAttention attention, double reduction) {
    List<Parameter> used = new ArrayList<>(layer.parameters());
    boolean single = reduction == 100; // one token chosen of each sequence
    if (kind == RouterKind.NONE) {
      used.removeIf(p -> p.name().startsWith("b."));
    }
    if (kind == RouterKind.SOFT_TOP_K && reduction == 1) {
      used.removeIf(p -> p.name().endsWith("outer.weight")); // all weights are 1
    }
    if (single && attention != HeavyAttention.CHOSEN_TO_ALL && kind.leavesSomeOut()) {
      used.removeIf(p -> p.name().contains("query")); // a single key gets all attention
      used.removeIf(p -> p.name().endsWith("queryRouter.weight"));
    }
    return used;
  }

  @ParameterizedTest
  @MethodSource("straightThrough")
  void straightThroughIsTheGradientOfTheWeights(HeavyAttention attention, boolean preNorm) {
    CodaOptions scale = options(RouterKind.SOFT_TOP_K, attention, 2, false);
    CodaOptions through = scale.withGate(Gate.STRAIGHT_THROUGH, scale.softTopK());
    ConditionalAdapter layer = layer(block(preNorm), through);
    // The same with gates of 1 + w - (w as it is here), which can be differentiated.
    ConditionalAdapter inner = layer(block(preNorm), scale);
    List<Router> shifted = new ArrayList<>();
    for (int i = 0; i < (attention == HeavyAttention.SEPARATE_ROUTERS ? 3 : 1); i++) {
      shifted.add(
          new Shifted(new LearnedRouter("r", FEATURES, 2, scale.softTopK(), Gate.SCALE, RANDOM)));
    }
    ConditionalAdapter surrogate =
        new ConditionalAdapter("c", block(preNorm), scale, shifted, RANDOM);
    surrogate.setBaseFrozen(false);
    List<Parameter> of = layer.parameters();
    assertThat(surrogate.parameters()).hasSameSizeAs(of).hasSameSizeAs(inner.parameters());
    for (int i = 0; i < of.size(); i++) {
      surrogate.parameters().get(i).assign(of.get(i).value());
    }
    // Fixes the weights here, then checks the surrogate.
    surrogate.forward(Tape.none(kernels), Tensor.of(input(attention, preNorm)), RAGGED);
    GradientCheck.check(
        kernels,
        (tape, x) -> surrogate.forward(tape, x, RAGGED),
        surrogate.parameters(),
        input(attention, preNorm),
        STEP);
    surrogate.parameters().forEach(Parameter::zeroGrad);

    float[] expected = gradients(surrogate, input(attention, preNorm));
    float[] actual = gradients(layer, input(attention, preNorm));
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(2e-5f * (1 + Math.abs(expected[i]))));
    }
  }

  static Stream<Arguments> straightThrough() {
    return Stream.of(HeavyAttention.values())
        .flatMap(attention -> Stream.of(true, false).map(pre -> Arguments.of(attention, pre)));
  }

  private float[] gradients(ConditionalAdapter layer, FloatMatrix input) {
    Tape tape = Tape.recording(kernels);
    Tensor x = Tensor.withGrad(input);
    tape.backward(layer.forward(tape, x, RAGGED), gaussian(RAGGED.tokens(), FEATURES, 9));
    float[] all = Fixtures.values(x.grad());
    for (Parameter parameter : layer.parameters()) {
      float[] more = parameter.grad().data();
      int at = all.length;
      all = Arrays.copyOf(all, at + more.length);
      System.arraycopy(more, 0, all, at, more.length);
    }
    return all;
  }

  /** Gates of w + 1 - (w when it was first asked). */
  private static final class Shifted implements Router {
    private final LearnedRouter router;
    private float[] before;

    Shifted(LearnedRouter router) {
      this.router = router;
    }

    @Override
    public Routing route(Tape tape, Tensor x, Sequences sequences) {
      Routing routing = router.route(tape, x, sequences);
      Tensor w = routing.gates().orElseThrow();
      if (before == null) {
        before = Fixtures.values(w.value());
      }
      FloatMatrix gates = tape.result(w.rows(), 1);
      for (int j = 0; j < w.rows(); j++) {
        gates.set(j, 0, w.value().get(j, 0) - before[j] + 1);
      }
      Tensor shifted = tape.node(gates).from(w).backward((gy, kept) -> tape.passOn(w));
      return new Routing(routing.selection(), Optional.of(shifted));
    }

    @Override
    public Router withReduction(double reduction) {
      throw new UnsupportedOperationException("not needed");
    }

    @Override
    public RouterStatistics statistics() {
      return router.statistics();
    }

    @Override
    public List<Parameter> parameters() {
      return router.parameters();
    }

    @Override
    public List<Linear> linears() {
      return List.of();
    }
  }

  /** With normalized tokens, whose scores are what they are. */
  @ParameterizedTest
  @MethodSource("straightThrough")
  void normalizedTokens(HeavyAttention attention, boolean preNorm) {
    ConditionalAdapter layer =
        layer(block(preNorm), options(RouterKind.SOFT_TOP_K, attention, 2, true));
    // A shift of all scores changes nothing, and this shifts nothing but scores.
    List<Parameter> used =
        layer.parameters().stream()
            .filter(p -> !p.name().equals("c.feedForwardNorm.beta"))
            .toList();
    GradientCheck.check(
        kernels,
        (tape, x) -> layer.forward(tape, x, RAGGED),
        used,
        input(attention, preNorm),
        STEP);
  }
}
