package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.activation.Gelu;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.embedding.ImageShape;
import dev.switchyard.layers.embedding.PatchEmbedding;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.norm.LayerNorm;
import dev.switchyard.layers.norm.LayerScale;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a tape records, refuses and lets go of. */
class TapeTest {
  private final Tape tape = Tape.recording(Fixtures.reference());
  private final Linear layer = new Linear("l", 3, 2, Precision.FLOAT32, RANDOM);
  private final FloatMatrix x = gaussian(4, 3, 1);
  private final FloatMatrix g = gaussian(4, 2, 2);

  @ParameterizedTest
  @EnumSource
  void gradientsAddUpOverSteps(Precision precision) {
    Linear linear = new Linear("l", 3, 2, precision, RANDOM);
    Parameter weight = linear.parameters().get(0);
    tape.backward(linear.forward(tape, Tensor.of(x)), g);
    float[] once = weight.grad().data().clone();
    tape.reset();
    tape.backward(linear.forward(tape, Tensor.of(x)), g);
    for (int i = 0; i < once.length; i++) {
      assertThat(weight.grad().data()[i]).isNotZero().isEqualTo(2 * once[i]);
    }
    weight.zeroGrad();
    assertThat(weight.grad().data()).containsOnly(0);
  }

  /** Trainings in turns hold the memory of one. */
  @Test
  void tapesMayShareTheirStorage() {
    Tape second = Tape.sharing(tape, new Profile());
    float[] storage = tape.result(4, 4).data();
    tape.reset();
    assertThat(second.result(4, 4).data()).isSameAs(storage);
    second.reset();
    assertThat(tape.result(4, 4).data()).isSameAs(storage);
    assertThat(second.bytesHeld()).isZero();
  }

  @Test
  void aLossIsTheStartOfTheWayBack() {
    Tensor scores = layer.forward(tape, Tensor.of(x));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tape.backward(scores))
        .withMessage(
            "loss is 4x2 (expected 1x1; for a gradient of your own call backward(y, gradY))");
    tape.backward(new CrossEntropy().forward(tape, scores, 0, 1, 1, 0));
    assertThat(layer.parameters().get(1).grad().data()).doesNotContain(0);
  }

  @Test
  void frozenParametersGetNoGradient() {
    TransformerBlock block = new TransformerBlock("b", 4, 2, 8, Precision.SWITCHBACK, RANDOM);
    Sequences sequences = Sequences.ofLengths(3, 2);
    FloatMatrix input = gaussian(5, 4, 3);
    FloatMatrix gradient = gaussian(5, 4, 4);
    for (Parameter frozen : block.parameters()) {
      block.parameters().forEach(Parameter::zeroGrad);
      frozen.setFrozen(true);
      Tensor wanted = Tensor.withGrad(input);
      tape.backward(block.forward(tape, wanted, sequences), gradient);
      frozen.setFrozen(false);
      assertThat(frozen.grad().data()).as("%s", frozen).containsOnly(0);
      assertThat(wanted.grad().data()).isNotEqualTo(new float[wanted.grad().data().length]);
      assertThat(block.parameters())
          .filteredOn(p -> p != frozen)
          .allSatisfy(p -> assertThat(sumOfSquares(p.grad())).as("%s", p).isPositive());
      tape.reset();
    }
  }

  private static double sumOfSquares(FloatMatrix m) {
    double sum = 0;
    for (float value : m.data()) {
      sum += value * value;
    }
    return sum;
  }

  @Test
  void whatDependsOnNothingThatLearnsIsNotRecorded() {
    layer.parameters().forEach(p -> p.setFrozen(true));
    Tensor y = layer.forward(tape, Tensor.of(x));
    assertThat(y.wantsGrad()).isFalse();
    assertThatIllegalStateException()
        .isThrownBy(() -> tape.backward(y, g))
        .withMessage(
            "tensor 4x2 depends on no parameter that learns and on no input that wants a gradient");
    assertThat(layer.forward(tape, Tensor.withGrad(x)).wantsGrad()).isTrue();
  }

  @Test
  void refusesAWeightChangedBetweenForwardAndBackward() {
    for (Precision precision : Precision.values()) {
      Linear linear = new Linear("l", 3, 2, precision, RANDOM);
      Tensor y = linear.forward(tape, Tensor.of(x));
      linear.parameters().get(0).markChanged();
      assertThatIllegalStateException()
          .isThrownBy(() -> tape.backward(y, g))
          .withMessage(
              "parameter l.weight 2x3 was changed between forward and backward: version 0 then, 1"
                  + " now");
      assertThat(linear.parameters().get(0).grad().data()).containsOnly(0);
      tape.reset();
    }
  }

  @Test
  void refusesASecondWayBackThroughALayer() {
    Tensor y = layer.forward(tape, Tensor.of(x));
    Tensor top = new Gelu().forward(tape, y);
    Tensor other = new Gelu().forward(tape, y);
    tape.backward(top, g);
    for (Tensor again : List.of(top, y, other)) {
      assertThatIllegalStateException()
          .isThrownBy(() -> tape.backward(again, g))
          .withMessage(
              "backward was already called in this step for a result that the layer of tensor 4x2"
                  + " led to (expected one call for all results that share a layer, backward(List,"
                  + " List), or reset() to begin the next step)");
    }
    assertThatIllegalStateException()
        .isThrownBy(() -> layer.forward(tape, Tensor.of(x)))
        .withMessage("backward was already called in step 1: call reset() to begin the next");
  }

  /** A network of the caller's own: linear layers, and between them code that no tape knows. */
  @ParameterizedTest
  @EnumSource
  void goesBackThroughOneLayerAfterTheOther(Precision precision) {
    Linear[] layers = {
      new Linear("a", 3, 4, precision, RANDOM.split(0)),
      new Linear("b", 4, 4, precision, RANDOM.split(1)),
      new Linear("c", 4, 2, precision, RANDOM.split(2))
    };
    Tensor whole = Tensor.withGrad(x);
    Tensor y = layers[2].forward(tape, layers[1].forward(tape, layers[0].forward(tape, whole)));
    tape.backward(y, g);
    float[] expected = Fixtures.values(whole.grad());
    List<float[]> expectedOfParameters = takeGradients(layers);
    tape.reset();

    Tensor[] in = new Tensor[3];
    Tensor[] out = new Tensor[3];
    FloatMatrix next = x;
    for (int i = 0; i < 3; i++) {
      in[i] = Tensor.withGrad(next);
      out[i] = layers[i].forward(tape, in[i]);
      next = out[i].value().copy(); // the caller's own code
    }
    FloatMatrix gradient = g;
    for (int i = 2; i >= 0; i--) {
      tape.backward(out[i], gradient);
      gradient = in[i].grad();
    }
    assertThat(Fixtures.values(in[0].grad())).isEqualTo(expected);
    assertThat(in[2].grad().shape()).as("still there").isEqualTo("4x4");
    assertThat(takeGradients(layers))
        .usingElementComparator(Arrays::compare)
        .isEqualTo(expectedOfParameters);
  }

  private static List<float[]> takeGradients(Linear... layers) {
    List<Parameter> all =
        Arrays.stream(layers).flatMap(linear -> linear.parameters().stream()).toList();
    List<float[]> gradients = all.stream().map(p -> p.grad().data().clone()).toList();
    all.forEach(Parameter::zeroGrad);
    return gradients;
  }

  /** What two results have in common is gone back through once, with the sum of both gradients. */
  @Test
  void goesBackFromSeveralResultsAtOnce() {
    Tensor input = Tensor.withGrad(x);
    Tensor y = layer.forward(tape, input);
    Tensor first = new Gelu().forward(tape, y);
    Tensor sum = tape.add(first, new Gelu().forward(tape, first));
    tape.backward(sum, g);
    float[] expected = Fixtures.values(input.grad());
    List<float[]> gradients = takeGradients(layer);
    tape.reset();

    Tensor again = Tensor.withGrad(x);
    Tensor one = new Gelu().forward(tape, layer.forward(tape, again));
    Tensor two = new Gelu().forward(tape, one);
    tape.backward(List.of(one, two), List.of(g, g));
    assertThat(Fixtures.values(again.grad())).isEqualTo(expected);
    assertThat(takeGradients(layer)).usingElementComparator(Arrays::compare).isEqualTo(gradients);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tape.backward(List.of(one, two), List.of(g)))
        .withMessage("2 tensors and 1 gradients (expected one for each)");
    tape.reset();
    Tensor twice = layer.forward(tape, Tensor.of(x));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tape.backward(List.of(twice, twice), List.of(g, g)))
        .withMessage("tensor 4x2 is listed twice (expected the sum of its gradients)");
  }

  /** An input of two results: what was read after the first way back becomes the sum. */
  @Test
  void gradientsOfAnInputAddUpOverWaysBack() {
    Tensor input = Tensor.withGrad(x);
    Tensor one = new Gelu().forward(tape, input);
    Tensor two = new Gelu().forward(tape, input);
    FloatMatrix ofInput = gaussian(4, 3, 7);
    tape.backward(one, ofInput);
    FloatMatrix gradient = input.grad();
    float[] once = Fixtures.values(gradient);
    tape.backward(two, ofInput);
    assertThat(input.grad()).isSameAs(gradient);
    for (int i = 0; i < once.length; i++) {
      assertThat(Fixtures.values(gradient)[i]).isEqualTo(2 * once[i]);
    }
    assertThatIllegalStateException()
        .isThrownBy(() -> tape.backward(input, ofInput))
        .withMessage("tensor 4x3 is an input: no layer led to it");
  }

  /** Once it was gone back through, a parameter may change before the layers below are. */
  @Test
  void aParameterMayChangeOnceItsLayerWasGoneBackThrough() {
    Linear below = new Linear("below", 3, 3, Precision.FLOAT32, RANDOM.split(1));
    Tensor y = below.forward(tape, Tensor.of(x));
    Tensor in = Tensor.withGrad(y.value());
    Tensor z = layer.forward(tape, in);
    tape.backward(z, g);
    layer.parameters().forEach(Parameter::markChanged);
    tape.backward(y, in.grad());
  }

  @Test
  void refusesTensorsOfAnEarlierStep() {
    Tensor input = Tensor.withGrad(x);
    Tensor y = layer.forward(tape, input);
    tape.backward(y, g);
    tape.reset();
    String ended = "of its tape, which is at step 2: reset() has ended it";
    assertThatIllegalStateException().isThrownBy(y::value).withMessageContaining(ended);
    assertThatIllegalStateException().isThrownBy(input::grad).withMessageContaining(ended);
    assertThatIllegalStateException()
        .isThrownBy(() -> layer.forward(tape, input))
        .withMessage("tensor 4x3 belongs to step 1 " + ended);
    assertThatIllegalStateException()
        .isThrownBy(() -> tape.backward(y, g))
        .withMessageContaining(ended);
  }

  @Test
  void refusesTensorsOfAnotherTape() {
    Tensor y = layer.forward(Tape.recording(Fixtures.reference()), Tensor.of(x));
    assertThatIllegalStateException()
        .isThrownBy(() -> new Gelu().forward(tape, y))
        .withMessage("tensor 4x2 belongs to another tape (expected one tape in a computation)");
    assertThatIllegalStateException()
        .isThrownBy(() -> tape.backward(Tensor.withGrad(g), g))
        .withMessage("tensor 4x2 was not computed on this tape: no layer led to it");
  }

  @Test
  void refusesAGradientOfAnotherShape() {
    Tensor y = layer.forward(tape, Tensor.of(x));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tape.backward(y, x))
        .withMessage("gradient is 4x3 but y is 4x2 (expected equal)");
    tape.backward(y, g); // nothing has happened yet
  }

  @Test
  void saysWhyThereIsNoGradient() {
    assertThatIllegalStateException()
        .isThrownBy(() -> Tensor.of(x).grad())
        .withMessage("tensor 4x3 wants no gradient: make it with Tensor.withGrad");
    Tensor input = Tensor.withGrad(x);
    Tensor y = layer.forward(tape, input);
    assertThatIllegalStateException()
        .isThrownBy(input::grad)
        .withMessage(
            "tensor 4x3 has no gradient: backward was not called, did not reach it, or has already"
                + " used it up (only inputs made with Tensor.withGrad keep theirs)");
    tape.backward(y, g);
    assertThat(input.grad().shape()).isEqualTo("4x3");
    assertThatIllegalStateException().isThrownBy(y::grad).withMessageContaining("used it up");
  }

  @Test
  void showsWhatItHolds() {
    Tensor y =
        tape.add(Tensor.of(FloatMatrix.allocate(1, 2)), Tensor.of(FloatMatrix.allocate(1, 2)));
    assertThat(y).hasToString("Tensor of FloatMatrix 1x2 [[0.0, 0.0]]");
    tape.reset();
    assertThat(y).hasToString("Tensor of 1x2, which has ended");
  }

  @Test
  void inferenceRecordsNothingAndGivesTheSameResults() {
    Tape none = Tape.none(Fixtures.reference());
    Tensor y = layer.forward(none, Tensor.withGrad(x));
    none.reset();
    layer.forward(none, Tensor.of(gaussian(4, 3, 9))); // must not overwrite the first result
    assertThat(Fixtures.values(y.value()))
        .isEqualTo(Fixtures.values(layer.forward(tape, Tensor.of(x)).value()));
    assertThat(y.wantsGrad()).isFalse();
    assertThatIllegalStateException()
        .isThrownBy(() -> none.backward(y, g))
        .withMessage(
            "this tape records nothing, so there is no way back (expected Tape.recording)");
  }

  @Test
  void theCallersGradientIsOnlyRead() {
    float[] before = g.data().clone();
    Tensor a = Tensor.withGrad(gaussian(4, 2, 5));
    Tensor sum = tape.add(tape.add(a, a), new Gelu().forward(tape, a));
    tape.backward(sum, g);
    tape.reset();
    layer.forward(tape, Tensor.of(x));
    assertThat(g.data()).isEqualTo(before);
  }

  @Test
  void refusesShapesThatDoNotGoTogether() {
    Tensor input = Tensor.of(gaussian(4, 2, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> layer.forward(tape, input))
        .withMessage("weight l.weight is 2x3 but input has 2 features (expected 3)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tape.add(input, Tensor.of(x)))
        .withMessage("cannot add 4x2 and 4x3 (expected equal shapes)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new LayerNorm("n", 3).forward(tape, input))
        .withMessageContaining("n.gamma has 3 elements but input has 2 features");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Pooling.MEAN.forward(tape, input, Sequences.ofLengths(1, 2)))
        .withMessageContaining("input has 4 rows but there are 2 sequences of 3 tokens");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new CrossEntropy().forward(tape, input, 0, 1, 2, 0))
        .withMessage("label 2 is 2 (expected 0 to 1, or -100 to ignore the row)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new CrossEntropy().forward(tape, input, 0))
        .withMessage(
            "scores are 4x2 but there are 1 labels (expected 1 or more rows, a label each)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new SelfAttention("a", 5, 2, Precision.FLOAT32, RANDOM))
        .withMessageContaining("a.qkv has 5 features and 2 heads");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new PatchEmbedding("p", new ImageShape(1, 28, 28), 5, 8, Precision.FLOAT32, RANDOM))
        .withMessage(
            "image is 28x28 but a patch is 5x5 (expected patches that cover the image exactly)");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                Linear.of(new Parameter("w", FloatMatrix.allocate(2, 3), true))
                    .bias(Parameter.vector("b", 1, 2, 3))
                    .build())
        .withMessage("weight is 2x3 but bias is 1x3 (expected 1x2)");
  }

  /** 128 rows of 256 features: four bytes each, or one and per row a scale and a sum. */
  @ParameterizedTest
  @EnumSource
  void countsTheBytesThatALayerKeepsOfItsInput(Precision precision) {
    Linear linear = new Linear("l", 256, 64, precision, RANDOM);
    Tensor input = Tensor.withGrad(gaussian(128, 256, 1));
    assertThat(tape.bytesForBackward()).isZero();
    Tensor y = linear.forward(tape, input);
    boolean int8 = precision == Precision.SWITCHBACK_M;
    assertThat(tape.bytesForBackward()).isEqualTo(int8 ? 128 * (256 + 4 + 4) : 128 * 256 * 4);

    tape.backward(y, gaussian(128, 64, 2));
    tape.reset();
    assertThat(tape.bytesForBackward()).isZero();
    Tape none = Tape.none(Fixtures.reference());
    assertThat(linear.forward(none, Tensor.of(gaussian(128, 256, 1))).rows()).isEqualTo(128);
    assertThat(none.bytesForBackward()).isZero();
    linear.parameters().get(0).setFrozen(true);
    linear.forward(tape, Tensor.of(gaussian(128, 256, 1)));
    assertThat(tape.bytesForBackward()).isZero();
  }

  /** What each layer says it reads; x is 5x4, 80 bytes. */
  @Test
  void countsTheBytesThatEachLayerReads() {
    Sequences sequences = Sequences.ofLengths(3, 2);
    assertBytes(80, input -> new Gelu().forward(tape, input));
    assertBytes(80 + 5 * 3 * 4, input -> new LayerNorm("n", 4).forward(tape, input));
    assertBytes(0, input -> Pooling.MEAN.forward(tape, input, sequences));
    assertBytes(0, input -> tape.add(input, input));
    assertBytes(80, input -> new LayerScale("s", 4, 1).forward(tape, input));
    // The scores' probabilities.
    assertBytes(80, input -> new CrossEntropy().forward(tape, input, 0, 1, 2, 3, 0));
    // x, Q, K and V, two heads' two normalizers of 5 tokens, and O.
    SelfAttention attention = new SelfAttention("a", 4, 2, Precision.FLOAT32, RANDOM);
    assertBytes(80 + 240 + 80 + 80, input -> attention.forward(tape, input, sequences));
    // A quarter of 2x2 pixels each, 4 features: the patches for the projection.
    PatchEmbedding patches =
        new PatchEmbedding("p", new ImageShape(1, 2, 2), 1, 3, Precision.FLOAT32, RANDOM);
    assertBytes(80, input -> patches.forward(tape, input));
    // Two layers that read the same matrix.
    assertBytes(80, input -> tape.add(new Gelu().forward(tape, input), gelu(input)));
  }

  private Tensor gelu(Tensor input) {
    return new Gelu().forward(tape, input);
  }

  private void assertBytes(long expected, UnaryOperator<Tensor> computation) {
    Tensor y = computation.apply(Tensor.withGrad(gaussian(5, 4, 1)));
    assertThat(y.wantsGrad()).isTrue();
    assertThat(tape.bytesForBackward()).isEqualTo(expected);
    tape.reset();
  }

  /** What is not counted is not needed: it may be lost between forward and backward. */
  @Test
  void whatIsNotCountedIsNotRead() {
    Sequences sequences = Sequences.ofLengths(3, 1);
    PatchEmbedding patches =
        new PatchEmbedding("p", new ImageShape(1, 1, 3), 1, 5, Precision.FLOAT32, RANDOM);
    assertInputIsNotRead(patches.parameters(), in -> patches.forward(tape, in));
    assertInputIsNotRead(List.of(), in -> Pooling.MEAN.forward(tape, in, sequences));
    assertInputIsNotRead(List.of(), in -> tape.add(in, in));
    LayerScale scale = new LayerScale("s", 3, 0.5f);
    scale.parameters().get(0).setFrozen(true);
    assertInputIsNotRead(List.of(), in -> scale.forward(tape, in));
    for (Precision precision : Precision.values()) {
      Linear linear = new Linear("l", 3, 2, precision, RANDOM);
      if (precision != Precision.SWITCHBACK_M) {
        linear.parameters().get(0).setFrozen(true);
      }
      assertInputIsNotRead(linear.parameters(), in -> linear.forward(tape, in));
    }
  }

  private void assertInputIsNotRead(List<Parameter> parameters, UnaryOperator<Tensor> computation) {
    float[][] gradients = new float[2][];
    for (int lost = 0; lost < 2; lost++) {
      parameters.forEach(Parameter::zeroGrad);
      Tensor input = Tensor.withGrad(x.copy());
      Tensor y = computation.apply(input);
      if (lost == 1) {
        Arrays.fill(input.value().data(), Float.NaN);
        Arrays.fill(y.value().data(), Float.NaN);
      }
      tape.backward(y, gaussian(y.rows(), y.cols(), 9));
      gradients[lost] = Fixtures.values(input.grad());
      for (Parameter p : parameters) {
        if (!p.frozen()) {
          gradients[lost] = concat(gradients[lost], p.grad().data());
        }
      }
      tape.reset();
    }
    assertThat(gradients[1]).isEqualTo(gradients[0]).doesNotContain(Float.NaN);
  }

  private static float[] concat(float[] a, float[] b) {
    float[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /** As {@link Tape#passOn} does: the buffer goes to the next who needs one. */
  @Test
  void gradientsThatNobodyWantsAreDropped() {
    Tape tape = Tape.recording(Fixtures.reference());
    Tensor x = Tensor.of(gaussian(3, 2, 1));
    FloatMatrix gx = tape.take(3, 2);
    tape.addGrad(x, gx);
    assertThat(tape.take(3, 2).data()).isSameAs(gx.data());
    assertThat(x.grad).isNull();
  }

  @Test
  void aLayerIsRefusedTheValueOfATensorThatItDoesNotKeep() {
    Tape tape = Tape.recording(Fixtures.reference());
    Tensor x = Tensor.withGrad(gaussian(3, 2, 1));
    FloatMatrix[] handed = new FloatMatrix[1];
    Tensor y =
        tape.node(tape.result(1, 1))
            .from(x)
            .keeps(x.value())
            .backward((g, kept) -> handed[0] = kept.floats(0));
    Tensor z = tape.node(tape.result(1, 1)).from(x).backward((g, kept) -> handed[0] = x.value());
    FloatMatrix one = FloatMatrix.of(new float[] {1}, 1, 1);
    tape.backward(y, one);
    assertThat(handed[0]).isSameAs(x.value());
    assertThatIllegalStateException()
        .isThrownBy(() -> tape.backward(z, one))
        .withMessage(
            "a layer reads tensor 3x2 on the way back, whose storage may be another's by then"
                + " (expected it among those that Node.keeps names)");
    assertThat(x.value().rows()).isEqualTo(3); // for anyone else it is as before
  }

  /** What two tensors hold in common is copied before rows are added to the gradient of one. */
  @Test
  void rowsAreAddedToAGradientOfItsOwn() {
    Tape tape = Tape.recording(Fixtures.reference());
    Tensor x = Tensor.withGrad(gaussian(3, 2, 1));
    Tensor other = Tensor.withGrad(gaussian(3, 2, 2));
    int[] second = {1, 7};
    FloatMatrix rowValue = tape.result(1, 2);
    Tensor row = tape.node(rowValue).from(x).backward((g, kept) -> tape.addGradRows(x, second, g));
    Tensor sum = tape.add(x, other);
    FloatMatrix ones = FloatMatrix.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
    Tensor y =
        tape.node(tape.result(1, 1))
            .from(row, sum)
            .backward(
                (g, kept) -> {
                  for (Tensor part : List.of(row, sum)) {
                    FloatMatrix gradient = tape.take(part.rows(), 2);
                    System.arraycopy(ones.data(), 0, gradient.data(), 0, part.rows() * 2);
                    tape.addGrad(part, gradient);
                  }
                });
    tape.backward(y);
    assertThat(Fixtures.values(x.grad())).containsExactly(1, 2, 3 + 1, 4 + 2, 5, 6);
    assertThat(Fixtures.values(other.grad())).containsExactly(1, 2, 3, 4, 5, 6);
  }

  /** Results end with their step, whose storage the next one takes; nothing is recorded. */
  @Test
  void inferenceAgainAndAgain() {
    Linear layer = new Linear("l", 3, 4, Precision.FLOAT32, RANDOM);
    Tape tape = Tape.inference(Fixtures.reference());
    FloatMatrix x = gaussian(5, 3, 1);
    Tensor y = layer.forward(tape, Tensor.withGrad(x));
    float[] expected = layer.forward(Tape.none(Fixtures.reference()), Tensor.of(x)).value().data();
    assertThat(Fixtures.values(y.value())).isEqualTo(Arrays.copyOf(expected, 20));
    assertThat(tape.isRecording()).isFalse();
    assertThat(tape.bytesForBackward()).isZero();
    assertThatIllegalStateException().isThrownBy(() -> tape.backward(y, gaussian(5, 4, 2)));
    float[] storage = y.value().data();
    tape.reset();
    assertThatIllegalStateException().isThrownBy(y::value);
    assertThat(layer.forward(tape, Tensor.of(x)).value().data()).isSameAs(storage);
  }

  @Test
  void aProfileSeesWhereTheTimeGoes() {
    Profile profile = new Profile();
    Tape measured = Tape.recording(Fixtures.reference(), profile);
    TransformerBlock block = new TransformerBlock("b", 4, 2, 8, Precision.SWITCHBACK, RANDOM);
    long start = System.nanoTime();
    Tensor y = block.forward(measured, Tensor.of(gaussian(5, 4, 3)), Sequences.ofLengths(5));
    measured.backward(y, gaussian(5, 4, 4));
    long total = System.nanoTime() - start;
    for (Profile.Part part : Profile.Part.values()) {
      if (part == Profile.Part.OPTIMIZER || part == Profile.Part.ROUTE) {
        assertThat(profile.nanos(part)).isZero();
      } else {
        assertThat(profile.nanos(part)).as("%s", part).isBetween(1L, total);
      }
    }
    assertThat(profile.restNanos(total)).isBetween(1L, total);
    profile.clear();
    assertThat(profile.restNanos(total)).isEqualTo(total);
  }

  // Storage of what nobody reads again

  /** Bytes that a block of 256 features holds for 64 tokens after its forward pass. */
  private static long held(Precision precision, boolean recompute) {
    BlockOptions options = BlockOptions.of(256, 4, precision);
    TransformerBlock block = new TransformerBlock("b", options, Fixtures.RANDOM);
    SequenceLayer layer = recompute ? new Recomputed(block) : block;
    Tape tape = Tape.recording(Fixtures.kernels("vector", 1));
    layer.forward(tape, Tensor.of(gaussian(64, 256, 1)), Sequences.uniform(4, 16));
    long bytes = tape.bytesHeld();
    tape.reset();
    assertThat(tape.bytesHeld()).isZero();
    return bytes;
  }

  /**
   * In units of 64x256 floats, of float32: both norms' results, q, k and v, attention's result, h,
   * the hidden features before and after GELU (four each), and the output. SWITCHBACK_M holds a
   * quarter of the inputs of the linear layers: norms, attention, active features (7 in all).
   */
  @Test
  void int8ActivationsAreAllThatIsHeld() {
    double unit = 64 * 256 * Float.BYTES;
    double slack = 0.2; // scales, row sums, statistics, normalizers
    assertThat(held(Precision.FLOAT32, false) / unit).isBetween(16.0, 16 + slack);
    assertThat(held(Precision.SWITCHBACK, false) / unit).isBetween(16.0, 16 + slack);
    assertThat(held(Precision.SWITCHBACK_M, false) / unit).isBetween(10.75, 10.75 + slack);
    assertThat(held(Precision.FLOAT32, true) / unit).isBetween(1.0, 1 + slack);
  }

  @Test
  void inferenceHoldsNothing() {
    Tape tape = Tape.none(Fixtures.kernels("vector", 1));
    TransformerBlock block =
        new TransformerBlock("b", BlockOptions.of(8, 2, Precision.FLOAT32), Fixtures.RANDOM);
    Tensor x = Tensor.of(gaussian(6, 8, 1));
    Tensor y = block.forward(tape, x, Sequences.uniform(2, 3));
    float[] first = Fixtures.values(y.value());
    block.forward(tape, y, Sequences.uniform(2, 3)); // takes other storage than y
    assertThat(Fixtures.values(y.value())).isEqualTo(first);
    assertThat(tape.bytesHeld()).isZero();
  }

  @Test
  void aReleasedResultSaysSo() {
    Tape tape = Tape.recording(Fixtures.kernels("vector", 1));
    Tensor y = Pooling.MEAN.forward(tape, Tensor.of(gaussian(6, 8, 1)), Sequences.uniform(2, 3));
    tape.release(y);
    assertThatIllegalStateException()
        .isThrownBy(y::value)
        .withMessage(
            "tensor 2x8 was an intermediate result: its layer has given its storage to another (a"
                + " layer that reads it on the way back names it in Node.keeps)");
  }
}
