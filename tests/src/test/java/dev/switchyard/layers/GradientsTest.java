package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.activation.Gelu;
import dev.switchyard.layers.activation.Relu;
import dev.switchyard.layers.activation.Silu;
import dev.switchyard.layers.activation.Softplus;
import dev.switchyard.layers.activation.Tanh;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.FeedForward;
import dev.switchyard.layers.block.PostNormBlock;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.embedding.ImageShape;
import dev.switchyard.layers.embedding.PatchEmbedding;
import dev.switchyard.layers.embedding.Positions;
import dev.switchyard.layers.embedding.TokenEmbedding;
import dev.switchyard.layers.loss.BinaryCrossEntropy;
import dev.switchyard.layers.loss.ContrastiveLoss;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import dev.switchyard.layers.model.TextTransformer;
import dev.switchyard.layers.model.VisionTransformer;
import dev.switchyard.layers.norm.L2Normalization;
import dev.switchyard.layers.norm.LayerNorm;
import dev.switchyard.layers.norm.LayerScale;
import dev.switchyard.layers.norm.RmsNorm;
import dev.switchyard.testkit.GradientCheck;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every gradient of every layer against finite differences, on every backend. */
@ParameterizedClass
@ValueSource(strings = {"reference", "vector"})
class GradientsTest {
  private static final Sequences RAGGED = Sequences.ofLengths(3, 0, 1, 7, 0, 5, 2);

  private static final BlockOptions OPTIONS =
      BlockOptions.of(6, 2, Precision.FLOAT32).withHidden(7);

  private final String backend;

  GradientsTest(String backend) {
    this.backend = backend;
  }

  private void check(
      GradientCheck.Computation computation, List<Parameter> parameters, FloatMatrix input) {
    Fixtures.disturb(parameters, 0.3f);
    GradientCheck.check(Fixtures.kernels(backend, 2), computation, parameters, input);
  }

  @Test
  void linear() {
    Linear layer = new Linear("l", 5, 3, Precision.FLOAT32, RANDOM);
    check(layer::forward, layer.parameters(), gaussian(7, 5, 1));
  }

  @Test
  void linearWithoutBias() {
    Parameter weight = new Parameter("w", gaussian(3, 5, 2), true);
    Linear layer = Linear.of(weight).build();
    check(layer::forward, layer.parameters(), gaussian(7, 5, 1));
  }

  @Test
  void gelu() {
    check(new Gelu()::forward, List.of(), gaussian(5, 19, 3));
  }

  @ParameterizedTest
  @MethodSource("activations")
  void activations(Layer layer) {
    check(layer::forward, List.of(), gaussian(5, 19, 3));
    check(layer::forward, List.of(), gaussian(3, 1, 4));
  }

  static List<Layer> activations() {
    return List.of(new Silu(), new Tanh(), new Softplus());
  }

  /** Away from its kink, which a step of 2^-10 comes no nearer than. */
  @Test
  void relu() {
    FloatMatrix x = gaussian(5, 19, 3);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] += Math.copySign(0.01f, x.data()[i]);
    }
    GradientCheck.check(Fixtures.kernels(backend, 2), new Relu()::forward, List.of(), x, 1f / 1024);
  }

  @Test
  void productsOfElements() {
    Parameter other = new Parameter("o", gaussian(6, 5, 8), true);
    TokenEmbedding rows = new TokenEmbedding(other);
    int[] ids = {0, 5, 2, 3, 3, 1, 4};
    check(
        (tape, x) -> Tensors.mul(tape, x, rows.forward(tape, ids)),
        List.of(other),
        gaussian(7, 5, 1));
    check((tape, x) -> Tensors.mul(tape, x, x), List.of(), gaussian(7, 5, 1));
    check((tape, x) -> Tensors.scale(tape, x, -2.5f), List.of(), gaussian(7, 5, 1));
  }

  @Test
  void sideBySide() {
    Parameter other = new Parameter("o", gaussian(6, 2, 8), true);
    TokenEmbedding rows = new TokenEmbedding(other);
    int[] ids = {0, 5, 2, 3, 3, 1, 4};
    check(
        (tape, x) -> Tensors.concat(tape, x, rows.forward(tape, ids), x),
        List.of(other),
        gaussian(7, 5, 1));
  }

  @Test
  void binaryCrossEntropy() {
    FloatMatrix target = gaussian(5, 7, 2);
    for (int i = 0; i < target.data().length; i++) {
      target.data()[i] = Math.clamp(target.data()[i], 0f, 1f);
    }
    check(
        (tape, x) -> new BinaryCrossEntropy().forward(tape, x, target),
        List.of(),
        gaussian(5, 7, 1));
  }

  @Test
  void layerNorm() {
    LayerNorm layer = new LayerNorm("n", 17);
    check(layer::forward, layer.parameters(), gaussian(5, 17, 4));
  }

  @Test
  void feedForward() {
    FeedForward layer = new FeedForward("f", 5, 11, Precision.FLOAT32, RANDOM);
    check(layer::forward, layer.parameters(), gaussian(7, 5, 5));
  }

  @Test
  void selfAttention() {
    SelfAttention layer = new SelfAttention("a", 6, 2, Precision.FLOAT32, RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 6, 6));
  }

  @Test
  void causalSelfAttention() {
    SelfAttention layer = new SelfAttention("a", 6, 2, true, Precision.FLOAT32, RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 6, 6));
  }

  /** Of some tokens to others, with sequences that have none of one kind. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void attentionToAContext(boolean gated) {
    SelfAttention layer = new SelfAttention("a", 6, 2, Precision.FLOAT32, RANDOM).separateQueries();
    TokenEmbedding context = new TokenEmbedding(new Parameter("c", gaussian(5, 6, 24), true));
    TokenEmbedding gates = new TokenEmbedding(new Parameter("g", gaussian(5, 1, 25), true));
    Sequences keys = Sequences.ofLengths(2, 3, 0, 4, 0, 1, 2);
    int[] ids = {0, 1, 2, 3, 4, 4, 3, 2, 1, 0, 0, 2};
    check(
        (tape, x) ->
            layer.forward(
                tape,
                x,
                RAGGED,
                context.forward(tape, ids),
                keys,
                gated ? gates.forward(tape, ids) : null),
        Model.concat(
            layer.parameters(), context.parameters(), gated ? gates.parameters() : List.of()),
        gaussian(18, 6, 6));
  }

  @Test
  void transformerBlock() {
    TransformerBlock layer = new TransformerBlock("b", 6, 3, 7, Precision.FLOAT32, RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 6, 7));
  }

  @Test
  void transformerBlockWithLayerScale() {
    TransformerBlock layer =
        new TransformerBlock(
            "b",
            BlockOptions.of(6, 3, Precision.FLOAT32).withHidden(7).withLayerScale(0.5f),
            RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 6, 7));
  }

  @Test
  void postNormBlock() {
    PostNormBlock layer = new PostNormBlock("b", 6, 3, 7, Precision.FLOAT32, RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 6, 14));
  }

  @Test
  void rmsNorm() {
    RmsNorm layer = new RmsNorm("n", 17);
    check(layer::forward, layer.parameters(), gaussian(5, 17, 4));
    RmsNorm withEpsilon = new RmsNorm(Parameter.vector("gamma", 1, 2, 3), 0.7f);
    check(withEpsilon::forward, withEpsilon.parameters(), gaussian(4, 3, 15));
  }

  @Test
  void layerNormWithAnEpsilonThatShows() {
    Parameter gamma = Parameter.vector("gamma", 1, 2, 3, 4, 5);
    LayerNorm layer = new LayerNorm(gamma, Parameter.vector("beta", new float[5]), 0.7f);
    check(layer::forward, layer.parameters(), gaussian(4, 5, 15));
  }

  @Test
  void layerScale() {
    LayerScale layer = new LayerScale("s", 19);
    check(layer::forward, layer.parameters(), gaussian(5, 19, 13));
  }

  @Test
  void patchEmbedding() {
    PatchEmbedding layer =
        new PatchEmbedding("p", new ImageShape(2, 4, 6), 2, 5, Precision.FLOAT32, RANDOM);
    check(layer::forward, layer.parameters(), gaussian(3, 2 * 4 * 6, 8));
  }

  @ParameterizedTest
  @EnumSource
  void pooling(Pooling layer) {
    check((tape, x) -> layer.forward(tape, x, RAGGED), List.of(), gaussian(18, 5, 9));
  }

  @Test
  void learnedPositions() {
    Positions layer = Positions.learned("p", 7, 5, RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 5, 14));
  }

  @Test
  void sinusoidalPositions() {
    Positions layer = Positions.sinusoidal(7, 5);
    check((tape, x) -> layer.forward(tape, x, RAGGED), List.of(), gaussian(18, 5, 15));
  }

  /** Ids that occur once, several times, and not at all among 5. */
  @Test
  void tokenEmbedding() {
    TokenEmbedding layer = new TokenEmbedding("t", 5, 37, RANDOM);
    Parameter table = layer.table();
    check(
        (tape, x) -> tape.add(x, layer.forward(tape, 3, 0, 3, 3, 1, 4)),
        layer.parameters(),
        gaussian(6, 37, 16));
    assertThat(table.grad().rowRange(2, 3).get(0, 0)).isZero();
  }

  /** The frozen table among them gets none; one table may be given twice. */
  @Test
  void sumOfTokenEmbeddings() {
    TokenEmbedding words = new TokenEmbedding("w", 5, 37, RANDOM.split(1));
    TokenEmbedding frozen = new TokenEmbedding("f", 3, 37, RANDOM.split(2));
    TokenEmbedding places = new TokenEmbedding("p", 6, 37, RANDOM.split(3));
    Parameter.setFrozen(frozen.parameters(), true);
    List<TokenEmbedding> tables = List.of(words, frozen, places, words);
    List<int[]> ids =
        List.of(new int[] {3, 0, 3, 4}, new int[] {1, 1, 2, 0}, new int[] {0, 1, 2, 3}, new int[4]);
    check(
        (tape, x) -> tape.add(x, TokenEmbedding.sum(tape, tables, ids)),
        List.of(words.table(), places.table()),
        gaussian(4, 37, 16));
    assertThat(frozen.table().grad().data()).containsOnly(0);
    assertThat(places.table().grad().rowRange(4, 6).toArray()).containsOnly(0);
  }

  /** As in a language model: the same vectors make the tokens and their scores. */
  @Test
  void tiedWeights() {
    TokenEmbedding layer = new TokenEmbedding("t", 5, 4, RANDOM);
    Linear scores = Linear.of(layer.table()).build();
    List<Parameter> parameters = Model.concat(layer.parameters(), scores.parameters());
    assertThat(parameters).containsExactly(layer.table());
    check(
        (tape, x) -> scores.forward(tape, tape.add(x, layer.forward(tape, 3, 0, 3))),
        parameters,
        gaussian(3, 4, 17));
  }

  @Test
  void l2Normalization() {
    FloatMatrix x = gaussian(4, 9, 18);
    check(new L2Normalization()::forward, List.of(), x);
  }

  @Test
  void contrastiveLoss() {
    ContrastiveLoss loss = new ContrastiveLoss("c");
    Linear texts = new Linear("l", 6, 6, Precision.FLOAT32, RANDOM);
    loss.parameters().get(0).value().set(0, 0, 1); // e: at 14 the curvature hides the slope
    check(
        (tape, x) -> loss.forward(tape, x, texts.forward(tape, x)),
        Model.concat(List.of(texts.parameters().get(0)), loss.parameters()),
        gaussian(5, 6, 19));
  }

  @Test
  void sequenceHead() {
    SequenceHead layer = SequenceHead.scores("h", 6, 4, Pooling.MEAN, RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 6, 10));
  }

  @Test
  void smoothedCrossEntropy() {
    CrossEntropy loss = new CrossEntropy(0.3f);
    check((tape, x) -> loss.forward(tape, x, 2, 0, 4), List.of(), gaussian(3, 5, 20));
  }

  @Test
  void visionTransformer() {
    VisionTransformer model =
        new VisionTransformer(
            new PatchEmbedding(
                "e", new ImageShape(1, 4, 4), 2, 6, Precision.FLOAT32, RANDOM.split(0)),
            new Transformer("t", 2, OPTIONS, RANDOM.split(1)),
            SequenceHead.scores("h", 6, 3, Pooling.MEAN, RANDOM.split(2)));
    check(model::forward, model.parameters(), gaussian(3, 16, 21));
  }

  @Test
  void textTransformer() {
    TextTransformer model =
        new TextTransformer(
            new TokenEmbedding(new Parameter("e", gaussian(9, 6, 23), true)),
            Positions.learned("p", 4, 6, RANDOM.split(1)),
            new Transformer("t", 1, OPTIONS.withCausalAttention(), RANDOM.split(2)),
            SequenceHead.embedding("h", 6, 3, Pooling.LAST, RANDOM.split(3)));
    Sequences texts = Sequences.ofLengths(4, 1, 2);
    check(
        (tape, x) -> tape.add(x, model.forward(tape, new int[] {1, 8, 1, 4, 0, 7, 2}, texts)),
        model.parameters(),
        gaussian(3, 3, 22));
  }

  @Test
  void meanSquaredError() {
    MeanSquaredError loss = new MeanSquaredError();
    FloatMatrix target = gaussian(3, 5, 26);
    check((tape, x) -> loss.forward(tape, x, target), List.of(), gaussian(3, 5, 27));
    assertThatThrownBy(
            () ->
                loss.forward(Tape.none(Fixtures.reference()), Tensor.of(gaussian(2, 5, 1)), target))
        .hasMessage("target is 3x5 but x is 2x5 (expected equal, with at least one element)");
  }

  @Test
  void crossEntropy() {
    CrossEntropy loss = new CrossEntropy();
    check((tape, x) -> loss.forward(tape, x, 2, 0, 4), List.of(), gaussian(3, 5, 11));
  }

  @Test
  void aTensorUsedSeveralTimes() {
    Linear layer = new Linear("l", 4, 4, Precision.FLOAT32, RANDOM);
    check(
        (tape, x) -> {
          Tensor y = layer.forward(tape, x);
          Tensor z = tape.add(tape.add(x, x), tape.add(y, x));
          return tape.add(z, tape.add(layer.forward(tape, z), layer.forward(tape, y)));
        },
        layer.parameters(),
        gaussian(3, 4, 12));
  }
}
