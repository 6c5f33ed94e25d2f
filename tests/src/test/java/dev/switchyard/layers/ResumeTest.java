package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.Progress;
import dev.switchyard.layers.io.TrainingState;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.optim.StableAdamW;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run that goes on from a checkpoint is the run that was never interrupted. */
class ResumeTest {
  @TempDir private Path folder;

  @Test
  void goesOnBitForBit() throws IOException {
    TinyTransformer whole = model();
    for (int i = 0; i < 3; i++) {
      whole.step();
    }
    Path file = folder.resolve("checkpoint");
    save(whole, file);
    TinyTransformer resumed = model();
    resumed.step(); // so that its layers hold copies of other weights, and its optimizer moments
    load(resumed, file);

    for (int i = 0; i < 3; i++) {
      assertThat(resumed.step()).isEqualTo(whole.step());
    }
    for (int i = 0; i < whole.parameters().size(); i++) {
      assertThat(resumed.parameters().get(i).value().data())
          .isEqualTo(whole.parameters().get(i).value().data());
    }
  }

  private static TinyTransformer model() {
    return new TinyTransformer(Fixtures.kernels("vector", 1), Precision.SWITCHBACK, 16, 8);
  }

  private static void save(TinyTransformer model, Path file) throws IOException {
    TrainingState.save(
            model.parameters(),
            model.optimizer(),
            new Progress(3, 11, 3, 0),
            Map.of("more", gaussian(2, 3, 1)),
            Map.of("option", "text"))
        .write(file);
  }

  private static void load(TinyTransformer model, Path file) throws IOException {
    Checkpoint checkpoint = Checkpoint.read(file);
    assertThat(checkpoint.progress()).isEqualTo(new Progress(3, 11, 3, 0));
    assertThat(checkpoint.options()).isEqualTo(Map.of("option", "text"));
    assertThat(TrainingState.extra(checkpoint)).containsOnlyKeys("more");
    assertThat(TrainingState.extra(checkpoint).get("more").data())
        .isEqualTo(gaussian(2, 3, 1).data());
    TrainingState.restore(checkpoint, model.parameters(), model.optimizer());
  }

  /** Masks too: the tape is told of the step by the one call that restores all. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void goesOnWithTheMasksOfItsSteps(boolean file) throws IOException {
    Kernels kernels = Fixtures.kernels("vector", 1);
    Dropped whole = new Dropped(kernels);
    List<Float> losses = new ArrayList<>();
    for (int step = 0; step < 3; step++) {
      losses.add(whole.step());
    }
    Checkpoint checkpoint =
        TrainingState.save(
            whole.model.parameters(),
            whole.optimizer,
            new Progress(3, 0, 0, 3),
            Map.of(),
            Map.of());
    if (file) {
      checkpoint.write(folder.resolve("file"));
      checkpoint = Checkpoint.read(folder.resolve("file"));
    }
    Dropped resumed = new Dropped(kernels);
    TrainingState.restore(checkpoint, resumed.model.parameters(), resumed.optimizer, resumed.tape);
    for (int step = 3; step < 6; step++) {
      float loss = whole.step();
      assertThat(resumed.step()).isEqualTo(loss);
      assertThat(losses).doesNotContain(loss);
      losses.add(loss);
    }
    Checkpoint late = checkpoint;
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                TrainingState.restore(
                    late, resumed.model.parameters(), resumed.optimizer, resumed.tape))
        .withMessage(
            "a run of 3 steps cannot go on with a tape that has made 6 (expected a new tape)");
    assertThat(resumed.step()).as("nothing was restored").isEqualTo(whole.step());
  }

  /** A run in which the loss of a step depends on its masks alone, but for the weights. */
  private static final class Dropped {
    private final Transformer model =
        new Transformer(
            "t",
            2,
            BlockOptions.of(8, 2, Precision.SWITCHBACK).withDropout(0.3f).withStochasticDepth(0.3f),
            Fixtures.RANDOM);
    private final Tape tape;
    private final StableAdamW optimizer;

    Dropped(Kernels kernels) {
      tape = Tape.recording(kernels);
      optimizer = new StableAdamW(kernels, model.parameters(), StableAdamW.Settings.DEFAULT);
    }

    float step() {
      Tensor y = model.forward(tape, Tensor.of(gaussian(15, 8, 1)), Sequences.uniform(5, 3));
      Tensor loss = new MeanSquaredError().forward(tape, y, gaussian(15, 8, 2));
      float value = loss.value().get(0, 0);
      tape.backward(loss);
      optimizer.step(1e-2f);
      optimizer.zeroGrad();
      tape.reset();
      return value;
    }
  }

  @Test
  void refusesWhatNoRunHasSaved() {
    TinyTransformer model = model();
    model.step();
    Checkpoint good =
        TrainingState.save(
            model.parameters(), model.optimizer(), new Progress(1, 0, 0, 0), Map.of(), Map.of());
    assertThat(good.algorithm()).isEqualTo("AdamW");
    StableAdamW other =
        new StableAdamW(
            Fixtures.kernels("vector", 1), model.parameters(), StableAdamW.Settings.DEFAULT);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TrainingState.restore(good, model.parameters(), other))
        .withMessage(
            "the checkpoint is of AdamW, and the optimizer is StableAdamW (expected the same, since"
                + " each has moments of its own kind)");
    assertThat(other.state()).isEmpty();

    for (long step : new long[] {1L << 40, 0, -1, 1L << 31, (1L << 32) + 1}) {
      Map<String, Long> steps = new TreeMap<>(good.steps());
      steps.put("head.norm.gamma", step);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> restore(model, good, good.state(), steps))
          .withMessage(
              "the checkpoint has step " + step + " of head.norm.gamma (expected 1 to 2147483647)");
    }
    Map<String, Long> without = new TreeMap<>(good.steps());
    without.remove("head.norm.gamma");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> restore(model, good, good.state(), without))
        .withMessageMatching(
            "the checkpoint has moment [mv]/head.norm.gamma but no step of it \\(expected both\\)");
    Map<String, FloatMatrix> state = new TreeMap<>(good.state());
    state.put("v/head.norm.gamma", FloatMatrix.of(new float[16], 1, 16));
    state.get("v/head.norm.gamma").set(0, 2, -1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> restore(model, good, state, good.steps()))
        .withMessageContaining("and -1.0 of element 2 of head.norm.gamma");
    TinyTransformer same = model();
    same.step();
    assertThat(model.step()).as("nothing was restored").isEqualTo(same.step());
  }

  private static void restore(
      TinyTransformer model,
      Checkpoint good,
      Map<String, FloatMatrix> state,
      Map<String, Long> steps) {
    TrainingState.restore(
        new Checkpoint(good.weights(), good.vectors(), state, steps, "", good.progress(), Map.of()),
        model.parameters(),
        model.optimizer());
  }

  /** Neither parameters nor optimizer: half a state would be worse than none. */
  @Test
  void aCheckpointThatDoesNotFitChangesNothing() {
    TinyTransformer model = model();
    model.step();
    Checkpoint good =
        TrainingState.save(
            model.parameters(), model.optimizer(), new Progress(1, 0, 0, 0), Map.of(), Map.of());
    Map<String, FloatMatrix> weights = new TreeMap<>(good.weights());
    weights.remove("head.norm.gamma");
    Map<String, FloatMatrix> state = new TreeMap<>(good.state());
    state.remove("v/head.norm.gamma");
    TinyTransformer other = model();
    other.step();
    float[] first = Fixtures.values(other.parameters().get(0).value());

    assertThatIllegalArgumentException()
        .isThrownBy(() -> restore(other, weights, good.state(), good))
        .withMessageContaining("no value for head.norm.gamma 1x16");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> restore(other, good.weights(), state, good))
        .withMessage("the checkpoint has a step but no moment v/head.norm.gamma (expected both)");

    assertThat(Fixtures.values(other.parameters().get(0).value())).isEqualTo(first);
    TinyTransformer same = model();
    same.step();
    assertThat(other.step()).isEqualTo(same.step());
    assertThat(other.step()).isEqualTo(same.step());
  }

  private static void restore(
      TinyTransformer model,
      Map<String, FloatMatrix> weights,
      Map<String, FloatMatrix> state,
      Checkpoint good) {
    Map<String, Long> steps = new TreeMap<>(good.steps());
    steps.replaceAll((name, step) -> step + 5);
    TrainingState.restore(
        new Checkpoint(
            weights, Set.of(), state, steps, good.algorithm(), good.progress(), Map.of()),
        model.parameters(),
        model.optimizer());
  }
}
