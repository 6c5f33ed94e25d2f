package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.ConditionalEncoder;
import dev.switchyard.encoders.TinyModel;
import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.coda.AdapterFile;
import dev.switchyard.layers.optim.StableAdamW;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One file of each kind, as version 0.1 wrote it: names of parameters, layout and fingerprints are
 * a promise to whoever has kept one.
 */
class OldFilesTest {
  private static final String OF_TRANSFORMER =
      "sha256:01f32183cea065e1da2cda2dae77875c98fdbd3d3b0743870962461ee6a27baf";
  private static final String OF_ADAPTERS =
      "sha256:ba64383e1775e4e0cec1cbfac496e4604094c00e2cef743ba1b3356d5eee51c6";

  @TempDir Path folder;

  private Path file(String kind) throws IOException {
    Path file = folder.resolve(kind);
    String name = kind + "-of-0.1.safetensors";
    try (InputStream in = OldFilesTest.class.getResourceAsStream(name)) {
      Files.copy(Objects.requireNonNull(in, name), file);
    }
    return file;
  }

  private static Transformer model() {
    return new Transformer(
        "blocks",
        1,
        BlockOptions.of(4, 2, Precision.SWITCHBACK).withLayerScale(0.1f),
        new CounterRandom(2));
  }

  @Test
  void weights() throws IOException {
    Transformer model = model();
    Weights.load(Weights.read(file("weights")), model.parameters());
    assertThat(Fingerprint.of(model.parameters())).isEqualTo(OF_TRANSFORMER);
  }

  @Test
  void aCheckpoint() throws IOException {
    Kernels kernels = Kernels.create(BackendChoice.named("reference"), Parallel.serial());
    Transformer model = model();
    StableAdamW optimizer =
        new StableAdamW(kernels, model.parameters(), StableAdamW.Settings.DEFAULT);
    Checkpoint checkpoint = Checkpoint.read(file("checkpoint"));

    TrainingState.restore(checkpoint, model.parameters(), optimizer, Tape.recording(kernels));

    assertThat(Fingerprint.of(model.parameters())).isEqualTo(OF_TRANSFORMER);
    assertThat(checkpoint.progress()).isEqualTo(new Progress(2, 1, 0, 2));
    assertThat(optimizer.state()).hasSize(14).allMatch(moments -> moments.step() == 2);
    assertThat(
            optimizer.state().stream()
                .mapToInt(
                    moments -> 31 * Arrays.hashCode(moments.m()) + Arrays.hashCode(moments.v()))
                .sum())
        .isEqualTo(-225114625);
  }

  @Test
  void anAdapterForItsEncoder() throws IOException {
    Path model = TinyModel.write(folder.resolve("encoder")).resolveSibling("model.safetensors");
    BertEncoder base = BertEncoder.read(model, Precision.FLOAT32);
    AdapterFile file = AdapterFile.read(file("adapter"));
    ConditionalEncoder encoder = new ConditionalEncoder(base, file.options(), new CounterRandom(7));
    Linear head =
        new Linear("head", base.shape().features(), 2, Precision.FLOAT32, new CounterRandom(8));

    encoder.load(file, head.parameters());

    assertThat(Fingerprint.of(Model.concat(encoder.learned(), head.parameters())))
        .isEqualTo(OF_ADAPTERS);
    assertThat(file.step()).isEqualTo(9);
    assertThat(file.notes()).isEqualTo(Map.of("classes", "ham, spam"));
  }

  @Test
  void eachAsItIsWrittenToday() throws IOException {
    for (String kind : List.of("weights", "checkpoint", "adapter")) {
      Path old = file(kind);
      Path copy = folder.resolve("copy");
      switch (kind) {
        case "checkpoint" -> Checkpoint.read(old).write(copy);
        case "adapter" -> AdapterFile.read(old).write(copy);
        default -> {
          Transformer model = model();
          Weights.load(Weights.read(old), model.parameters());
          Weights.write(model.parameters(), copy);
        }
      }
      assertThat(copy).as(kind).hasSameBinaryContentAs(old);
    }
  }
}
