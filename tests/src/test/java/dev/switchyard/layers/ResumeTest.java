package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.Progress;
import dev.switchyard.layers.io.TrainingState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        new Checkpoint(weights, state, steps, good.progress(), Map.of()),
        model.parameters(),
        model.optimizer());
  }
}
