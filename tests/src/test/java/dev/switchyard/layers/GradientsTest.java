package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Every gradient of every layer against finite differences, on every backend. */
@ParameterizedClass
@ValueSource(strings = {"reference", "vector"})
class GradientsTest {
  private static final Sequences RAGGED = Sequences.ofLengths(3, 0, 1, 7, 0, 5, 2);

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
    Linear layer = new Linear(weight, null, Precision.FLOAT32);
    check(layer::forward, layer.parameters(), gaussian(7, 5, 1));
  }

  @Test
  void gelu() {
    check(new Gelu()::forward, List.of(), gaussian(5, 19, 3));
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
  void transformerBlock() {
    TransformerBlock layer = new TransformerBlock("b", 6, 3, 7, Precision.FLOAT32, RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 6, 7));
  }

  @Test
  void transformerBlockWithLayerScale() {
    TransformerBlock layer = new TransformerBlock("b", 6, 3, 7, Precision.FLOAT32, 0.5f, RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 6, 7));
  }

  @Test
  void postNormBlock() {
    PostNormBlock layer = new PostNormBlock("b", 6, 3, 7, Precision.FLOAT32, RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 6, 14));
  }

  @Test
  void layerNormWithAnEpsilonThatShows() {
    Parameter gamma = Parameter.vector("gamma", 1, 2, 3, 4, 5);
    LayerNorm layer = new LayerNorm(gamma, Parameter.vector("beta", new float[5]), 0.7f);
    check(layer::forward, layer.parameters(), gaussian(4, 5, 15));
  }

  @Test
  void tokenEmbedding() {
    TokenEmbedding layer = new TokenEmbedding(new Parameter("table", gaussian(4, 70, 16), true));
    check(
        (tape, x) -> tape.add(x, layer.forward(tape, 2, 0, 2, 2, 3, 1)),
        layer.parameters(),
        gaussian(6, 70, 17));
  }

  @Test
  void layerScale() {
    LayerScale layer = new LayerScale("s", 19);
    check(layer::forward, layer.parameters(), gaussian(5, 19, 13));
  }

  @Test
  void patchEmbedding() {
    PatchEmbedding layer = new PatchEmbedding("p", 2, 4, 6, 2, 5, Precision.FLOAT32, RANDOM);
    check(layer::forward, layer.parameters(), gaussian(3, 2 * 4 * 6, 8));
  }

  @Test
  void meanPool() {
    MeanPool layer = new MeanPool();
    check((tape, x) -> layer.forward(tape, x, RAGGED), List.of(), gaussian(18, 5, 9));
  }

  @Test
  void classificationHead() {
    ClassificationHead layer = new ClassificationHead("h", 6, 4, RANDOM);
    check((tape, x) -> layer.forward(tape, x, RAGGED), layer.parameters(), gaussian(18, 6, 10));
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
