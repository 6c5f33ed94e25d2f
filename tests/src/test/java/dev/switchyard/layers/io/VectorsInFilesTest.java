package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.norm.LayerNorm;
import dev.switchyard.layers.optim.AdamW;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Biases and gains have one dimension in files, matrices of one row two, and both are read. */
class VectorsInFilesTest {
  @TempDir Path folder;

  private static List<Parameter> model() {
    return Model.concat(
        new Linear("linear", 3, 2, Precision.FLOAT32, new CounterRandom(1)).parameters(),
        new LayerNorm("norm", 2).parameters(),
        new Linear("one", 2, 1, Precision.FLOAT32, new CounterRandom(2)).parameters());
  }

  private void assertShapes(Path file) throws IOException {
    try (Safetensors in = Safetensors.open(file)) {
      for (Parameter parameter : model()) {
        TensorInfo tensor =
            in.tensors().stream()
                .filter(t -> t.name().equals(parameter.name()))
                .findAny()
                .orElseThrow();
        boolean matrix = parameter.name().endsWith(".weight");
        assertThat(tensor.shape())
            .as(parameter.name())
            .isEqualTo(
                matrix
                    ? List.of((long) parameter.rows(), (long) parameter.cols())
                    : List.of((long) parameter.cols()));
      }
    }
  }

  @Test
  void weightsHaveTheShapesThatOtherProgramsExpect() throws IOException {
    Path file = folder.resolve("weights");
    List<Parameter> model = model();
    Weights.write(model, file);
    assertShapes(file);

    List<Parameter> other = model();
    other.forEach(parameter -> parameter.value().data()[0] += 1);
    Weights.load(Weights.read(file), other);
    assertThat(Fingerprint.of(other)).isEqualTo(Fingerprint.of(model));
  }

  @Test
  void checkpointsToo() throws IOException {
    Path file = folder.resolve("checkpoint");
    AdamW optimizer = optimizer(model());
    TrainingState.save(model(), optimizer, new Progress(0, 0, 0, 0), Map.of(), Map.of())
        .write(file);
    assertShapes(file);
    Checkpoint.read(file).write(file);
    assertShapes(file);
  }

  /** A file from before: every vector has two dimensions in it. */
  @Test
  void rowsInPlaceOfVectorsStillLoad() throws IOException {
    Path file = folder.resolve("old");
    try (InputStream in =
        VectorsInFilesTest.class.getResourceAsStream("rows-for-vectors.safetensors")) {
      Files.copy(Objects.requireNonNull(in), file);
    }
    List<Parameter> model = model();
    AdamW optimizer = optimizer(model);
    TrainingState.restore(Checkpoint.read(file), model, optimizer);
    assertThat(model.get(1).value().data()).containsExactly(0.1f, -0.1f);
    assertThat(model.get(2).value().data()).containsExactly(1.1f, 0.9f);
    assertThat(model.get(4).value().data()).containsExactly(1.1652299f, 1.2797452f);
    assertThat(optimizer.state()).hasSize(6).allMatch(moments -> moments.step() == 1);
  }

  private static AdamW optimizer(List<Parameter> model) {
    Kernels kernels = Kernels.create(BackendChoice.named("reference"), Parallel.serial());
    return new AdamW(kernels, model, AdamW.Settings.DEFAULT);
  }

  @Test
  void aVectorIsAWeightOfOneRow() {
    Map<String, FloatMatrix> weights = Map.of("w", FloatMatrix.allocate(2, 1));
    for (String name : List.of("w", "x")) {
      assertThatThrownBy(
              () ->
                  new Checkpoint(
                      weights,
                      Set.of(name),
                      Map.of(),
                      Map.of(),
                      "",
                      new Progress(0, 0, 0, 0),
                      Map.of()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("vector " + name + " is no weight of one row (expected one)");
    }
  }
}
