package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("c");
  }

  @Test
  void comesBackBitForBit() throws IOException {
    Checkpoint checkpoint = Checkpoints.at(123, 1000);
    checkpoint.write(file);

    assertThat(Checkpoints.text(Checkpoint.read(file))).isEqualTo(Checkpoints.text(checkpoint));
  }

  @Test
  void weightsHaveTheirOwnNamesInTheFile() throws IOException {
    Checkpoints.at(1, 3).write(file);

    assertThat(names()).containsExactlyInAnyOrder("w", "optimizer/state/w.m", "optimizer/step/w");
  }

  private List<String> names() throws IOException {
    try (Safetensors in = Safetensors.open(file)) {
      return in.tensors().stream().map(TensorInfo::name).toList();
    }
  }

  @Test
  void aWeightCannotPassForTheOptimizers() {
    Map<String, FloatMatrix> weights = Map.of("optimizer/state/x", FloatMatrix.allocate(1, 1));

    assertThatThrownBy(
            () ->
                new Checkpoint(
                    weights, Set.of(), Map.of(), Map.of(), "", new Progress(0, 0, 0, 0), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "weight optimizer/state/x has a name of the optimizer's (expected none under"
                + " optimizer/)");
  }

  @Test
  void weightsOfOthersAreNoCheckpoint() throws IOException {
    new SafetensorsWriter().floats("w", new float[] {1, 2}, 2).write(file);

    assertThat(Weights.read(file).get("w").shape()).isEqualTo("1x2");
    assertThatThrownBy(() -> Checkpoint.read(file))
        .isInstanceOf(MalformedFileException.class)
        .hasMessage(
            file
                + " is not a checkpoint (expected a checksum and switchyard.checkpoint 1 in its"
                + " metadata)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"step", "seed", "epoch", "nextBatch"})
  void progressThatIsNoNumberIsRefused(String key) throws IOException {
    for (UnaryOperator<String> change :
        List.<UnaryOperator<String>>of(_ -> "", value -> value + ".5")) {
      SafetensorsWriter out = new SafetensorsWriter().metadata("switchyard.checkpoint", "1");
      for (String name : List.of("step", "seed", "epoch", "nextBatch")) {
        out.metadata(name, name.equals(key) ? change.apply("1") : "1");
      }
      out.write(file);

      assertThatThrownBy(() -> Checkpoint.read(file))
          .isInstanceOf(MalformedFileException.class)
          .hasMessageContaining("does not say how far the run has come");
    }
  }

  @Test
  void progressCountsFromZero() {
    assertThatThrownBy(() -> new Progress(3, -1, -2, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("step 3, epoch -2, next batch 4 (expected 0 or more of each)");
  }

  @Test
  void strangeTensorsOfTheOptimizerAreRefused() throws IOException {
    Map<String, String> expected =
        Map.of(
            "optimizer/x", "only optimizer/state/ and optimizer/step/ there",
            "optimizer/step/x", "one number");
    for (String name : expected.keySet()) {
      new SafetensorsWriter()
          .longs(name, new long[2], 2)
          .metadata("switchyard.checkpoint", "1")
          .write(file);

      assertThatThrownBy(() -> Checkpoint.read(file))
          .isInstanceOf(MalformedFileException.class)
          .hasMessage("%s has tensor %s of I64[2] (expected %s)", file, name, expected.get(name));
    }
  }

  @Test
  void loadingCopiesAndMarksChanged() {
    Parameter weight = new Parameter("w", FloatMatrix.allocate(2, 2), true);
    Parameter bias = Parameter.vector("b", 0, 0);
    FloatMatrix wide = FloatMatrix.of(new float[] {1, 2, 9, 3, 4, 9}, 2, 3);

    Weights.load(
        Map.of("w", wide.columnRange(0, 2), "b", FloatMatrix.of(new float[] {5, 6}, 1, 2)),
        List.of(weight, bias));

    assertThat(weight.value().data()).containsExactly(1, 2, 3, 4);
    assertThat(bias.value().data()).containsExactly(5, 6);
    assertThat(weight.version()).isEqualTo(1);
    assertThat(bias.version()).isEqualTo(1);
  }

  @Test
  void whatDoesNotFitIsListedAndChangesNothing() {
    Parameter good = Parameter.vector("good", 1);
    Parameter missing = Parameter.vector("missing", 2);
    Parameter shape = Parameter.vector("shape", 3, 3);
    Map<String, FloatMatrix> weights =
        Map.of(
            "good", FloatMatrix.allocate(1, 1),
            "shape", FloatMatrix.allocate(2, 1),
            "extra", FloatMatrix.allocate(4, 5));

    assertThatThrownBy(() -> Weights.load(weights, List.of(good, missing, shape, good)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the weights do not fit the parameters: no value for missing 1x1; 2x1 for shape 1x2;"
                + " two parameters good; no parameter extra for 4x5");
    assertThat(good.value().data()).containsExactly(1);
    assertThat(good.version()).isZero();
    assertThatThrownBy(() -> Weights.of(List.of(good, good)))
        .hasMessage("parameter good 1x1 is listed twice (expected unique names)");
  }
}
