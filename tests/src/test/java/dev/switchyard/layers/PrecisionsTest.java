package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.embedding.Positions;
import dev.switchyard.layers.embedding.TokenEmbedding;
import dev.switchyard.layers.io.Weights;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import dev.switchyard.layers.model.TextTransformer;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole models in another precision, back again, and without their weights. */
class PrecisionsTest {
  private static final Sequences TEXTS = Sequences.ofLengths(3, 1, 2);
  private static final int[] IDS = {1, 2, 0, 3, 1, 1};

  private final Kernels kernels = Fixtures.kernels("vector", 2);

  private static TextTransformer model(Precision precision) {
    BlockOptions options = BlockOptions.of(64, 4, precision).withHidden(128);
    return new TextTransformer(
        new TokenEmbedding("embedding", 5, 64, RANDOM.split(0)),
        Positions.learned("positions", 4, 64, RANDOM.split(1)),
        new Transformer("blocks", 2, options, RANDOM.split(2)),
        SequenceHead.scores("head", 64, 7, Pooling.MEAN, RANDOM.split(3)));
  }

  /** Output and all gradients of a step. */
  private List<float[]> step(TextTransformer model) {
    model.parameters().forEach(Parameter::zeroGrad);
    Tape tape = Tape.recording(kernels);
    Tensor y = model.forward(tape, IDS, TEXTS);
    List<float[]> results = new ArrayList<>(List.of(Fixtures.values(y.value())));
    tape.backward(y, gaussian(3, 7, 5));
    model.parameters().forEach(p -> results.add(Fixtures.values(p.grad())));
    return results;
  }

  private static void assertSame(List<float[]> actual, List<float[]> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.size(); i++) {
      assertThat(actual.get(i)).isEqualTo(expected.get(i));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aConvertedModelIsTheOneMadeSo(Precision precision) {
    TextTransformer model = model(Precision.FLOAT32);
    List<float[]> before = step(model);
    Conversion conversion = Precisions.convert(model, PrecisionPolicy.to(precision));
    assertSame(step(model), step(model(precision)));
    conversion.undo();
    assertSame(step(model), before);
    assertThat(model.linears())
        .allSatisfy(l -> assertThat(l.precision()).isEqualTo(Precision.FLOAT32));
  }

  /** A conversion that fails at any layer has converted none; one that is listed twice, once. */
  @Test
  void convertsAllOrNone() {
    TextTransformer model = model(Precision.FLOAT32);
    List<float[]> before = step(model);
    PrecisionPolicy policy = PrecisionPolicy.to(Precision.SWITCHBACK).withSmallest(0);
    for (int at = 0; at < model.linears().size(); at++) {
      Model failing = failingAt(model, at);
      assertThatIllegalStateException()
          .isThrownBy(() -> Precisions.convert(failing, policy))
          .withMessage("no layer");
      assertThat(model.linears())
          .allSatisfy(l -> assertThat(l.precision()).isEqualTo(Precision.FLOAT32));
    }
    assertSame(step(model), before);

    Linear twice = new Linear("twice", 64, 64, Precision.FLOAT32, RANDOM);
    Conversion conversion =
        Precisions.convert(of(List.of(twice, twice), twice.parameters()), policy);
    assertThat(conversion.converted()).hasSize(1);
    assertThat(conversion.left().getFirst().reason()).isEqualTo("is listed above");
    conversion.undo();
    assertThat(twice.precision()).isEqualTo(Precision.FLOAT32);
  }

  private static Model failingAt(Model model, int at) {
    List<Linear> linears = model.linears();
    return of(
        new AbstractList<>() {
          @Override
          public Linear get(int index) {
            if (index == at) {
              throw new IllegalStateException("no layer");
            }
            return linears.get(index);
          }

          @Override
          public int size() {
            return linears.size();
          }
        },
        model.parameters());
  }

  private static Model of(List<Linear> linears, List<Parameter> parameters) {
    return new Model() {
      @Override
      public List<Parameter> parameters() {
        return parameters;
      }

      @Override
      public List<Linear> linears() {
        return linears;
      }
    };
  }

  /** A weight that has no int8 form, in any layer: all weights stay. */
  @Test
  void releasesAllOrNone() {
    TextTransformer model = model(Precision.SWITCHBACK);
    List<Linear> quantized =
        model.linears().stream().filter(l -> l.precision() == Precision.SWITCHBACK).toList();
    assertThat(quantized).hasSizeGreaterThan(5);
    for (Linear layer : quantized) {
      float before = layer.weight().value().get(1, 1);
      layer.weight().value().set(1, 1, Float.NaN);
      layer.weight().markChanged();
      assertThatExceptionOfType(NonFiniteException.class)
          .isThrownBy(() -> Precisions.release(model, kernels));
      assertThat(model.linears()).noneMatch(l -> l.weight().released());
      layer.weight().value().set(1, 1, before);
      layer.weight().markChanged();
    }
    assertSame(step(model), step(model(Precision.SWITCHBACK)));
  }

  @Test
  void listsEveryLinearLayerOnce() {
    TextTransformer model = model(Precision.FLOAT32);
    Conversion conversion =
        Precisions.convert(
            model, PrecisionPolicy.to(Precision.SWITCHBACK).excluding("*.feedForward.*"));
    assertThat(conversion.converted())
        .containsExactly(
            converted("blocks.block0.attention.qkv", 192),
            converted("blocks.block0.attention.out", 64),
            converted("blocks.block1.attention.qkv", 192),
            converted("blocks.block1.attention.out", 64));
    assertThat(conversion.left())
        .containsExactly(
            left("blocks.block0.feedForward.up", 128, 64, "excluded by *.feedForward.*"),
            left("blocks.block0.feedForward.down", 64, 128, "excluded by *.feedForward.*"),
            left("blocks.block1.feedForward.up", 128, 64, "excluded by *.feedForward.*"),
            left("blocks.block1.feedForward.down", 64, 128, "excluded by *.feedForward.*"),
            left("head.scores", 7, 64, "fewer than 64 inputs or outputs"));
    assertThat(conversion.toString().lines())
        .hasSize(9)
        .anyMatch(
            line -> line.matches("blocks.block0.attention.qkv +192x64 +FLOAT32 to SWITCHBACK"))
        .anyMatch(
            line ->
                line.matches(
                    "head.scores +7x64 +left in FLOAT32: fewer than 64 inputs or outputs"));
  }

  /** A mistyped pattern would convert what it should have left, without a word. */
  @Test
  void listsPatternsThatFitNothing() {
    Conversion conversion =
        Precisions.convert(
            model(Precision.FLOAT32),
            PrecisionPolicy.to(Precision.SWITCHBACK)
                .including("blocks.*", "bocks.*")
                .excluding("*.feedForward.*", "*.typo", "*.typo"));
    assertThat(conversion.idlePatterns()).containsExactly("bocks.*", "*.typo");
    assertThat(conversion.toString())
        .endsWith(String.format(Locale.ROOT, "bocks.* fits no layer%n*.typo fits no layer%n"));
    assertThat(
            Precisions.convert(model(Precision.FLOAT32), PrecisionPolicy.to(Precision.SWITCHBACK))
                .idlePatterns())
        .isEmpty();
  }

  private static Conversion.Converted converted(String name, int out) {
    return new Conversion.Converted(name, out, 64, Precision.FLOAT32, Precision.SWITCHBACK);
  }

  private static Conversion.Left left(String name, int out, int in, String reason) {
    return new Conversion.Left(name, out, in, Precision.FLOAT32, reason);
  }

  @Test
  void includesByNameAndWithoutAFilter() {
    TextTransformer model = model(Precision.FLOAT32);
    PrecisionPolicy policy =
        PrecisionPolicy.to(Precision.BFLOAT16).including("head.*", "*1*up").withSmallest(0);
    Conversion conversion = Precisions.convert(model, policy);
    assertThat(conversion.converted())
        .extracting(Conversion.Converted::name)
        .containsExactly("blocks.block1.feedForward.up", "head.scores");
    assertThat(conversion.left()).hasSize(7);
    assertThat(conversion.left().get(0).reason()).isEqualTo("not included by head.*, *1*up");
    Conversion again = Precisions.convert(model, policy);
    assertThat(again.converted()).isEmpty();
    assertThat(again.left().getLast().reason()).isEqualTo("is BFLOAT16 already");
  }

  @Test
  void theTypeOfTheWeightGradientCounts() {
    Linear layer = new Linear("l", 64, 64, Precision.SWITCHBACK, RANDOM);
    PrecisionPolicy policy = PrecisionPolicy.to(Precision.SWITCHBACK);
    assertThat(Precisions.convert(layer, policy).converted()).isEmpty();
    for (ElementType type : List.of(ElementType.FLOAT32, ElementType.BFLOAT16)) {
      Precisions.convert(layer, policy.withWeightGradient(type));
      assertThat(Precisions.convert(layer, policy.withWeightGradient(type)).converted()).isEmpty();
      assertThat(gradient(layer))
          .isEqualTo(
              gradient(
                  Linear.of(new Linear("l", 64, 64, Precision.SWITCHBACK, RANDOM).weight())
                      .bias(null)
                      .precision(Precision.SWITCHBACK)
                      .weightGradient(type)
                      .build()));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> policy.withWeightGradient(ElementType.INT8))
        .withMessage("precision SWITCHBACK does not compute weight gradients in INT8");
  }

  private float[] gradient(Linear layer) {
    layer.parameters().forEach(Parameter::zeroGrad);
    Tape tape = Tape.recording(kernels);
    tape.backward(layer.forward(tape, Tensor.of(gaussian(9, 64, 1))), gaussian(9, 64, 2));
    return Fixtures.values(layer.weight().grad());
  }

  /** Products that differ from each other come back as they were. */
  @Test
  void undoRestoresSwitchedProducts() {
    Linear made = new Linear("l", 64, 64, Precision.FLOAT32, RANDOM);
    Linear layer =
        Linear.of(made.weight())
            .precision(Precision.SWITCHBACK)
            .gradients(Precision.FLOAT32, Precision.INT8_ALL)
            .build();
    float[] before = gradient(layer);
    Conversion conversion = Precisions.convert(layer, PrecisionPolicy.to(Precision.SWITCHBACK));
    assertThat(conversion.converted()).hasSize(1);
    assertThat(gradient(layer)).isNotEqualTo(before);
    conversion.undo();
    assertThat(gradient(layer)).isEqualTo(before);
  }

  @Test
  void undoesTheLatestFirstAndOnce() {
    Linear layer = new Linear("l", 64, 64, Precision.FLOAT32, RANDOM);
    Conversion first = Precisions.convert(layer, PrecisionPolicy.to(Precision.SWITCHBACK));
    Conversion second = Precisions.convert(layer, PrecisionPolicy.to(Precision.INT8_ALL));
    assertThatIllegalStateException()
        .isThrownBy(first::undo)
        .withMessage(
            "layer l no longer computes as this conversion made it (expected the latest conversion"
                + " to be undone first, and each once)");
    second.undo();
    first.undo();
    assertThat(layer.precision()).isEqualTo(Precision.FLOAT32);
    assertThatIllegalStateException().isThrownBy(first::undo);
  }

  /** A step goes back as it went forward. */
  @Test
  void aConversionInTheMiddleOfAStepIsForTheNext() {
    Linear layer = new Linear("l", 64, 64, Precision.SWITCHBACK_M, RANDOM);
    float[] expected = gradient(layer);
    layer.parameters().forEach(Parameter::zeroGrad);
    Tape tape = Tape.recording(kernels);
    Tensor y = layer.forward(tape, Tensor.of(gaussian(9, 64, 1)));
    Precisions.convert(layer, PrecisionPolicy.to(Precision.INT8_ALL));
    tape.backward(y, gaussian(9, 64, 2));
    assertThat(Fixtures.values(layer.weight().grad())).isEqualTo(expected);
  }

  @Test
  void refusesANegativeSize() {
    PrecisionPolicy policy = PrecisionPolicy.to(Precision.SWITCHBACK);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> policy.withSmallest(-1))
        .withMessage("smallest is -1 (expected 0 or more)");
  }

  // Without weights

  private static float[] output(Kernels kernels, TextTransformer model) {
    return Fixtures.values(model.forward(Tape.none(kernels), IDS, TEXTS).value());
  }

  @ParameterizedTest
  @EnumSource(names = {"SWITCHBACK", "SWITCHBACK_M", "SWITCHBACK_Q", "INT8_ALL"})
  void inferenceNeedsNoWeights(Precision precision) {
    TextTransformer model = model(precision);
    step(model); // both layouts are packed
    float[] expected = output(kernels, model);
    Map<String, FloatMatrix> saved = new TreeMap<>();
    Weights.of(model.parameters()).forEach((name, w) -> saved.put(name, w.copy()));

    Release release = Precisions.release(model, kernels);

    assertThat(release.released()).hasSize(8).contains("blocks.block1.feedForward.down");
    assertThat(release.kept()).containsExactly("head.scores: FLOAT32 has no smaller form");
    assertThat(output(kernels, model)).isEqualTo(expected);
    assertThat(Precisions.release(model, kernels).kept())
        .hasSize(9)
        .contains("blocks.block1.feedForward.down: released before");

    Weights.load(saved, model.parameters());
    assertSame(step(model), step(model(precision)));
  }

  @Test
  void panelsTakeAQuarterWithVnni() {
    Kernels fastest = Kernels.create(Parallel.ofThreads(1));
    Linear layer = new Linear("l", 512, 2048, Precision.SWITCHBACK, RANDOM);
    Release release = Precisions.release(layer, fastest);
    assertThat(release.bytesBefore()).isEqualTo(4L * 512 * 2048);
    String backend = fastest.backend().toString();
    // Without VNNI panels are of 16-bit integers.
    int bytes = !backend.startsWith("x86") ? 4 : backend.contains("(avx2 ") ? 2 : 1;
    assertThat(release.bytesAfter()).isBetween(512L * 2048 * bytes, 512L * 2048 * bytes * 11 / 10);
  }

  @Test
  void whatNeedsTheWeightIsRefused() {
    Linear layer = new Linear("l", 64, 64, Precision.SWITCHBACK, RANDOM);
    Precisions.release(layer, kernels);
    String sentence =
        "parameter l.weight 64x64 has no value: it was released, and only int8 panels for inference"
            + " are left, or an error has ended its assignment (to train, convert, save or compute"
            + " on another backend, assign it first, as Weights.load does)";
    Tensor x = Tensor.of(gaussian(2, 64, 1));
    assertThatIllegalStateException()
        .isThrownBy(() -> layer.forward(Tape.recording(kernels), x))
        .withMessage(sentence);
    assertThatIllegalStateException()
        .isThrownBy(() -> layer.forward(Tape.none(Fixtures.reference()), x))
        .withMessage(sentence);
    assertThatIllegalStateException()
        .isThrownBy(() -> Weights.of(layer.parameters()))
        .withMessage(sentence);
    Conversion conversion = Precisions.convert(layer, PrecisionPolicy.to(Precision.FLOAT32));
    assertThat(conversion.left().get(0).reason()).isEqualTo("its weight was released");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> layer.weight().assign(FloatMatrix.allocate(2, 64)))
        .withMessage("value is 2x64 but parameter l.weight is 64x64 (expected equal)");
  }

  @Test
  void weightsThatOthersUseAreKept() {
    TokenEmbedding embedding = new TokenEmbedding("e", 64, 64, RANDOM);
    Linear tied = Linear.of(embedding.table()).precision(Precision.SWITCHBACK).build();
    assertThat(Precisions.release(tied, kernels).kept())
        .containsExactly("e.table: its weight is used elsewhere too");
    Linear one = new Linear("l", 64, 64, Precision.SWITCHBACK, RANDOM);
    Linear two = Linear.of(one.weight()).precision(Precision.SWITCHBACK).build();
    Model both = new Pair(one, two);
    assertThat(Precisions.release(both, kernels).kept()).hasSize(2);
    assertThat(both.parameters()).hasSize(2);
  }

  private record Pair(Linear one, Linear two) implements Model {
    @Override
    public List<Linear> parts() {
      return List.of(one, two);
    }
  }
}
