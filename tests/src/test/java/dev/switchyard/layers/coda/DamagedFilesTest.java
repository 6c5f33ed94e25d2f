package dev.switchyard.layers.coda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.fuzz.FileFormat;
import dev.switchyard.fuzz.FileFuzz;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.io.FileBytes;
import dev.switchyard.layers.io.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of adapters are read as they are or refused, see {@link FileFuzz}. */
class DamagedFilesTest {
  @TempDir private Path folder;

  @Test
  void adapterOrRefused() throws IOException {
    Path written = folder.resolve("written");
    new AdapterFile(
            Map.of("w", FloatMatrix.allocate(2, 3), "b", FloatMatrix.allocate(1, 3)),
            Set.of("b"),
            "sha256:1",
            CodaOptions.of(3, Precision.FLOAT32),
            17,
            Map.of("classes", "ham, spam"))
        .write(written);
    byte[] sample = Files.readAllBytes(written);
    FileFuzz.check(
        FileFormat.of(
            "adapter.safetensors",
            sample,
            random -> FileBytes.damaged(sample, random),
            file -> {
              AdapterFile read = AdapterFile.read(file);
              assertThat(OptionsText.read(OptionsText.of(read.options())))
                  .isEqualTo(read.options());
              assertThat(read.step()).isNotNegative();
            },
            MalformedFileException.class),
        folder);
  }
}
