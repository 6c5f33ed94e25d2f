package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.embedding.ImageShape;
import dev.switchyard.layers.embedding.Positions;
import dev.switchyard.layers.embedding.TokenEmbedding;
import dev.switchyard.layers.loss.ContrastiveLoss;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import dev.switchyard.layers.model.TextTransformer;
import dev.switchyard.layers.norm.L2Normalization;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the ends of models compute, against their formulas, and what they refuse. */
class ModelPartsTest {
  private static final Sequences RAGGED = Sequences.ofLengths(2, 0, 3);

  private final Kernels kernels = Fixtures.kernels("vector", 2);
  private final Tape none = Tape.none(kernels);

  private static void refuses(String sentence, ThrowingCallable call) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessage(sentence);
  }

  @ParameterizedTest
  @CsvSource({"MEAN, 1.5, 0, 4", "FIRST, 1, 0, 3", "LAST, 2, 0, 5"})
  void pooling(Pooling pooling, float first, float empty, float last) {
    Tensor x = Tensor.of(FloatMatrix.of(new float[] {1, 2, 3, 4, 5}, 5, 1));
    assertThat(Fixtures.values(pooling.forward(none, x, RAGGED).value()))
        .containsExactly(first, empty, last);
  }

  @ParameterizedTest
  @EnumSource
  void poolingRefusesOtherRows(Pooling pooling) {
    Tensor x = Tensor.of(FloatMatrix.allocate(4, 2));
    refuses(
        "input has 4 rows but there are 3 sequences of 5 tokens (expected equal)",
        () -> pooling.forward(none, x, RAGGED));
  }

  /** Vaswani et al. 2017, section 3.5. */
  @Test
  void sinusoidalPositions() {
    FloatMatrix x = FloatMatrix.allocate(5, 7);
    float[] y =
        Fixtures.values(Positions.sinusoidal(3, 7).forward(none, Tensor.of(x), RAGGED).value());
    int[] positions = {0, 1, 0, 1, 2};
    for (int t = 0; t < 5; t++) {
      for (int j = 0; j < 7; j++) {
        double angle = positions[t] * Math.exp(-Math.log(10_000) * (j - j % 2) / 7);
        double expected = j % 2 == 0 ? Math.sin(angle) : Math.cos(angle);
        assertThat((double) y[t * 7 + j]).isCloseTo(expected, within(1e-6));
      }
    }
    assertThat(Positions.sinusoidal(3, 7).parameters()).isEmpty();
  }

  @Test
  void positionsRefuseLongerSequencesAndOtherWidths() {
    Positions positions = Positions.learned("p", 2, 4, RANDOM);
    refuses(
        "p 2x4 but sequences have up to 3 tokens of 4 features (expected up to 2 of 4)",
        () -> positions.forward(none, Tensor.of(FloatMatrix.allocate(5, 4)), RAGGED));
    refuses(
        "p 2x4 but sequences have up to 2 tokens of 5 features (expected up to 2 of 4)",
        () ->
            positions.forward(none, Tensor.of(FloatMatrix.allocate(2, 5)), Sequences.ofLengths(2)));
  }

  @Test
  void tokenEmbeddingRefusesOtherIds() {
    TokenEmbedding embedding = new TokenEmbedding("e", 5, 2, RANDOM);
    refuses("id 1 is 5 (expected 0 to 4)", () -> embedding.forward(none, 4, 5));
    refuses("id 0 is -1 (expected 0 to 4)", () -> embedding.forward(none, -1));
  }

  @Test
  void sumsOfTokenEmbeddingsFit() {
    TokenEmbedding a = new TokenEmbedding("a", 5, 2, RANDOM);
    TokenEmbedding b = new TokenEmbedding("b", 3, 2, RANDOM);
    TokenEmbedding wide = new TokenEmbedding("w", 3, 3, RANDOM);
    int[] ids = {4, 0};
    refuses(
        "0 tables and ids for 0 (expected a table or more, and ids for each)",
        () -> TokenEmbedding.sum(none, List.of(), List.of()));
    refuses(
        "2 tables and ids for 1 (expected a table or more, and ids for each)",
        () -> TokenEmbedding.sum(none, List.of(a, b), List.of(ids)));
    refuses(
        "id 0 is 4 (expected 0 to 2)",
        () -> TokenEmbedding.sum(none, List.of(a, b), List.of(ids, ids)));
    refuses(
        "b.table 3x2 for 1 tokens (expected 2 features for 2 tokens, as the first)",
        () -> TokenEmbedding.sum(none, List.of(a, b), List.of(ids, new int[1])));
    refuses(
        "w.table 3x3 for 2 tokens (expected 2 features for 2 tokens, as the first)",
        () -> TokenEmbedding.sum(none, List.of(a, wide), List.of(ids, new int[2])));
  }

  /** Added in the order of the tables, on any number of threads. */
  @Test
  void sumsOfTokenEmbeddingsHaveTheBitsOfSums() {
    TokenEmbedding a = new TokenEmbedding(new Parameter("a", gaussian(5, 100, 1), true));
    TokenEmbedding b = new TokenEmbedding(new Parameter("b", gaussian(3, 100, 2), true));
    TokenEmbedding c = new TokenEmbedding(new Parameter("c", gaussian(7, 100, 3), true));
    int[] ofA = {4, 0, 4, 1, 2};
    int[] ofB = {0, 0, 2, 1, 2};
    int[] ofC = {6, 5, 0, 1, 0};
    Tensor ab = none.add(a.forward(none, ofA), b.forward(none, ofB));
    FloatMatrix expected = none.add(ab, c.forward(none, ofC)).value();
    for (int threads = 1; threads <= 3; threads++) {
      Tape tape = Tape.none(Fixtures.kernels("vector", threads));
      FloatMatrix sum = TokenEmbedding.sum(tape, List.of(a, b, c), List.of(ofA, ofB, ofC)).value();
      assertThat(sum.toArray()).isEqualTo(expected.toArray());
    }
  }

  /** Tokens add to the rows of the table in their order, on any number of threads. */
  @Test
  void tokenEmbeddingAddsUpGradients() {
    int[] ids = {2, 0, 2, 2, 1, 0};
    FloatMatrix g = gaussian(6, 100, 1);
    float[] expected = new float[300];
    for (int t = 0; t < 6; t++) {
      for (int j = 0; j < 100; j++) {
        expected[ids[t] * 100 + j] += g.get(t, j);
      }
    }
    for (int threads = 1; threads <= 3; threads++) {
      TokenEmbedding embedding = new TokenEmbedding("e", 3, 100, RANDOM);
      Tape tape = Tape.recording(Fixtures.kernels("vector", threads));
      Tensor y = embedding.forward(tape, ids.clone());
      tape.backward(y, g);
      assertThat(embedding.table().grad().data()).isEqualTo(expected);
    }
  }

  @Test
  void l2NormalizationOfZerosIsZero() {
    Tape tape = Tape.recording(kernels);
    Tensor x = Tensor.withGrad(FloatMatrix.of(new float[] {3, -4, 0, 0}, 2, 2));
    Tensor y = new L2Normalization().forward(tape, x);
    assertThat(Fixtures.values(y.value())).containsExactly(0.6f, -0.8f, 0, 0);
    tape.backward(y, FloatMatrix.of(new float[] {1, 1, 1, 1}, 2, 2));
    assertThat(Fixtures.values(x.grad())).endsWith(0f, 0f);
  }

  /** Of n equal pairs nobody can tell one from another: the loss is ln n. */
  @Test
  void contrastiveLossOfEqualPairs() {
    FloatMatrix x = FloatMatrix.allocate(5, 3);
    Arrays.fill(x.data(), 2);
    Tensor loss = new ContrastiveLoss("c").forward(none, Tensor.of(x), Tensor.of(x));
    assertThat((double) loss.value().get(0, 0)).isCloseTo(Math.log(5), within(1e-5));
  }

  /** With e^t = s, orthogonal pairs have L = s I: the loss is ln(e^s + n - 1) - s. */
  @Test
  void contrastiveLossOfOrthogonalPairs() {
    FloatMatrix x = FloatMatrix.of(new float[] {2, 0, 0, 0, 3, 0, 0, 0, 1}, 3, 3);
    ContrastiveLoss contrastive = new ContrastiveLoss("c");
    assertThat((double) contrastive.scale()).isCloseTo(1 / 0.07, within(1e-5));
    contrastive.parameters().get(0).value().set(0, 0, 0);
    Tensor loss = contrastive.forward(none, Tensor.of(x), Tensor.of(x));
    assertThat((double) loss.value().get(0, 0)).isCloseTo(Math.log(Math.E + 2) - 1, within(1e-6));
  }

  /** Past the limit, a gradient that would sharpen further is dropped, one that softens is not. */
  @ParameterizedTest
  @CsvSource({"true, 0", "false, 1"})
  void temperatureHasALimit(boolean pairsMatch, int sign) {
    ContrastiveLoss contrastive = new ContrastiveLoss("c");
    Parameter logScale = contrastive.parameters().get(0);
    logScale.value().set(0, 0, 5);
    assertThat(contrastive.scale()).isCloseTo(100, within(1e-4f));
    FloatMatrix images = FloatMatrix.of(new float[] {1, 0, 0.999f, 0.03f}, 2, 2);
    FloatMatrix texts =
        pairsMatch ? images : FloatMatrix.of(new float[] {0.999f, 0.03f, 1, 0}, 2, 2);
    Tape tape = Tape.recording(kernels);
    tape.backward(contrastive.forward(tape, Tensor.of(images), Tensor.of(texts)));
    assertThat((int) Math.signum(logScale.grad().get(0, 0))).isEqualTo(sign);
  }

  @Test
  void contrastiveLossRefusesOtherShapes() {
    ContrastiveLoss loss = new ContrastiveLoss("c");
    Tensor images = Tensor.of(FloatMatrix.allocate(3, 2));
    refuses(
        "images are 3x2 but texts are 2x2 (expected equal, with 1 or more rows)",
        () -> loss.forward(none, images, Tensor.of(FloatMatrix.allocate(2, 2))));
    Tensor empty = Tensor.of(FloatMatrix.allocate(0, 2));
    refuses(
        "images are 0x2 but texts are 0x2 (expected equal, with 1 or more rows)",
        () -> loss.forward(none, empty, empty));
  }

  /** Scores 2, 1, 0 and -3, whose mean is 0: what is spread over all classes costs nothing. */
  @ParameterizedTest
  @ValueSource(floats = {0, 0.5f, 1})
  void labelSmoothing(float smoothing) {
    Tensor x = Tensor.of(FloatMatrix.of(new float[] {2, 1, 0, -3}, 1, 4));
    double normalizer = Math.log(Math.exp(2) + Math.exp(1) + 1 + Math.exp(-3));
    Tensor loss = new CrossEntropy(smoothing).forward(none, x, 1);
    assertThat((double) loss.value().get(0, 0))
        .isCloseTo(normalizer - (1 - smoothing), within(1e-6));
  }

  @Test
  void refusesSmoothingOutOfRange() {
    refuses("smoothing is 1.5 (expected 0 to 1)", () -> new CrossEntropy(1.5f));
    refuses("smoothing is NaN (expected 0 to 1)", () -> new CrossEntropy(Float.NaN));
  }

  @Test
  void refusesBlocksThatAreNone() {
    refuses(
        "a block has 6 features and 4 heads (expected 1 or more heads that divide the features)",
        () -> BlockOptions.of(6, 4, Precision.FLOAT32));
    BlockOptions options = BlockOptions.of(6, 3, Precision.FLOAT32);
    refuses("hidden is 0 (expected 1 or more)", () -> options.withHidden(0));
    refuses("dropout is 1.0 (expected 0 or more, and less than 1)", () -> options.withDropout(1));
    refuses(
        "stochastic depth is -1.0 (expected 0 or more, and less than 1)",
        () -> options.withStochasticDepth(-1));
    refuses("depth is -1 (expected 0 or more)", () -> new Transformer("t", -1, options, RANDOM));
  }

  @ParameterizedTest
  @CsvSource({"0, 2, 3", "1, -1, 3", "1, 2, 0", "1024, 2048, 1024"})
  void refusesImagesThatAreNone(int channels, int height, int width) {
    refuses(
        "an image is "
            + channels
            + "x"
            + height
            + "x"
            + width
            + " (expected 1 or more of each, and fewer than 2^31 elements)",
        () -> new ImageShape(channels, height, width));
  }

  @Test
  void textsMustHaveTheirTokens() {
    TextTransformer model =
        new TextTransformer(
            new TokenEmbedding("e", 5, 4, RANDOM),
            Positions.learned("p", 4, 4, RANDOM),
            new Transformer("t", 1, BlockOptions.of(4, 2, Precision.FLOAT32), RANDOM),
            SequenceHead.embedding("h", 4, 3, Pooling.MEAN, RANDOM));
    refuses(
        "input has 4 rows but there are 3 sequences of 5 tokens (expected equal)",
        () -> model.forward(none, new int[] {1, 2, 3, 4}, RAGGED));
    assertThat(model.forward(none, new int[] {1, 2, 3, 4, 0}, RAGGED).value().shape())
        .isEqualTo("3x3");
    assertThat(model.parameters()).doesNotHaveDuplicates();
  }

  /** Two halves of a batch, each with half of the loss, against the whole. */
  @Test
  void gradientsAccumulate() {
    Linear layer = new Linear("l", 5, 4, Precision.FLOAT32, RANDOM);
    CrossEntropy crossEntropy = new CrossEntropy();
    FloatMatrix x = gaussian(6, 5, 1);
    Tape tape = Tape.recording(kernels);
    tape.backward(crossEntropy.forward(tape, layer.forward(tape, Tensor.of(x)), 0, 1, 2, 3, 0, 1));
    float[] whole = Fixtures.values(layer.parameters().get(0).grad());
    layer.parameters().forEach(Parameter::zeroGrad);
    int[][] labels = {{0, 1, 2}, {3, 0, 1}};
    for (int half = 0; half < 2; half++) {
      tape.reset();
      Tensor part = Tensor.of(x.rowRange(3 * half, 3 * half + 3));
      Tensor loss = crossEntropy.forward(tape, layer.forward(tape, part), labels[half]);
      tape.backward(loss, FloatMatrix.of(new float[] {0.5f}, 1, 1));
    }
    float[] halves = Fixtures.values(layer.parameters().get(0).grad());
    for (int i = 0; i < whole.length; i++) {
      assertThat(halves[i]).isCloseTo(whole[i], within(1e-6f));
    }
  }
}
