package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.fuzz.FileFormat;
import dev.switchyard.fuzz.FileFuzz;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.StableAdamW;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of tensors are read as they are or refused, see {@link FileFuzz}. */
class DamagedFilesTest {
  @TempDir private Path folder;

  /** With a checksum that is not made right again, all is as it was written. */
  @Test
  void exactContentOrRefused() throws IOException {
    byte[] sample = FileBytes.sample(folder);
    Map<String, Object> exact = content(folder.resolve("sample"));
    assertThat(exact).containsEntry("checksum", true);
    FileFuzz.check(
        FileFormat.of(
            "exact.safetensors",
            sample,
            file -> {
              Map<String, Object> content = content(file);
              if (content.get("checksum").equals(true)) { // else its key was hit
                assertThat(content).isEqualTo(exact);
              }
            },
            MalformedFileException.class),
        folder);
  }

  /** With a checksum that is right, or none, all that the header says of them can be read. */
  @Test
  void anyTensorsOrRefused() throws IOException {
    byte[] sample = FileBytes.sample(folder);
    FileFuzz.check(
        FileFormat.of(
            "any.safetensors",
            sample,
            random -> FileBytes.damaged(sample, random),
            DamagedFilesTest::content,
            MalformedFileException.class),
        folder);
  }

  /** All that a file holds, in values that compare. */
  private static Map<String, Object> content(Path file) throws IOException {
    Map<String, Object> content = new LinkedHashMap<>();
    try (Safetensors in = Safetensors.open(file)) {
      for (TensorInfo tensor : in.tensors()) {
        content.put(tensor.toString(), values(in, tensor));
      }
      content.put("metadata", in.metadata());
      content.put("checksum", in.hasChecksum());
    }
    return content;
  }

  private static String values(Safetensors in, TensorInfo tensor) throws IOException {
    String name = tensor.name();
    return switch (tensor.dtype()) {
      case F32, F16, BF16 -> Arrays.toString(in.floats(name));
      case F64 -> Arrays.toString(in.doubles(name));
      case I64 -> Arrays.toString(in.longs(name));
      case I32 -> Arrays.toString(in.ints(name));
      case I8 -> Arrays.toString(in.bytes(name));
      default -> "";
    };
  }

  @Test
  void weightsOrRefused() throws IOException {
    Path written = folder.resolve("written");
    new SafetensorsWriter()
        .floats("a", new float[6], 2, 3)
        .floats("none", new float[0], 0, 4)
        .bfloat16s("b", new short[2], 2)
        .write(written);
    byte[] sample = Files.readAllBytes(written);
    FileFuzz.check(
        FileFormat.of(
            "weights.safetensors",
            sample,
            random -> FileBytes.damaged(sample, random),
            file ->
                Weights.read(file)
                    .forEach(
                        (_, value) ->
                            assertThat(value.data()).hasSize(value.rows() * value.cols())),
            MalformedFileException.class),
        folder);
  }

  /** A state that is another model's is refused where it is restored, and changes nothing. */
  @Test
  void trainingStateOrRefused() throws IOException {
    Parameter weight = new Parameter("w", FloatMatrix.of(new float[] {1, 2, 3, 4}, 2, 2), true);
    List<Parameter> parameters = List.of(weight, Parameter.vector("b", 5, 6));
    StableAdamW optimizer =
        new StableAdamW(Fixtures.reference(), parameters, StableAdamW.Settings.DEFAULT);
    parameters.forEach(parameter -> Arrays.fill(parameter.grad().data(), 0.5f));
    optimizer.step(0.1f);
    Path written = folder.resolve("written");
    Checkpoint checkpoint =
        TrainingState.save(
            parameters,
            optimizer,
            new Progress(1, -7, 0, 1),
            Map.of("x", FloatMatrix.allocate(1, 2)),
            Map.of("dim", "32"));
    checkpoint.write(written);
    byte[] sample = Files.readAllBytes(written);
    FileFuzz.check(
        FileFormat.of(
            "checkpoint.safetensors",
            sample,
            random -> FileBytes.damaged(sample, random),
            file -> {
              Checkpoint read = Checkpoint.read(file);
              String before = Arrays.toString(weight.value().data());
              try {
                TrainingState.restore(read, parameters, optimizer);
              } catch (IllegalArgumentException e) {
                assertThat(e).hasMessageMatching("(?s).*(do|does) not fit.*|.*\\(expected .*\\)");
                assertThat(Arrays.toString(weight.value().data())).isEqualTo(before);
              }
            },
            MalformedFileException.class),
        folder);
  }
}
