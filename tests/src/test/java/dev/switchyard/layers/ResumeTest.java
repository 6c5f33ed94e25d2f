package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.Progress;
import dev.switchyard.layers.io.Weights;
import dev.switchyard.layers.optim.MomentState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    Map<String, FloatMatrix> state = new TreeMap<>();
    Map<String, Long> steps = new TreeMap<>();
    for (MomentState moments : model.optimizer().state()) {
      state.put(moments.name() + ".m", row(moments.m()));
      state.put(moments.name() + ".v", row(moments.v()));
      steps.put(moments.name(), (long) moments.step());
    }
    new Checkpoint(
            Weights.of(model.parameters()), state, steps, new Progress(3, 11, 3, 0), Map.of())
        .write(file);
  }

  private static FloatMatrix row(float... values) {
    return FloatMatrix.of(values, 1, values.length);
  }

  private static void load(TinyTransformer model, Path file) throws IOException {
    Checkpoint checkpoint = Checkpoint.read(file);
    assertThat(checkpoint.progress()).isEqualTo(new Progress(3, 11, 3, 0));
    Weights.load(checkpoint.weights(), model.parameters());
    List<MomentState> moments = new ArrayList<>();
    checkpoint
        .steps()
        .forEach(
            (name, step) ->
                moments.add(
                    new MomentState(
                        name,
                        Math.toIntExact(step),
                        checkpoint.state().get(name + ".m").data(),
                        checkpoint.state().get(name + ".v").data())));
    model.optimizer().restore(moments);
  }
}
