package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir private Path folder;

  @Test
  void replacesAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "old");

    AtomicFile.write(file, out -> out.write('n'));

    assertThat(file).hasContent("n");
    assertThat(folder).isDirectoryContaining(file::equals).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void theNameStandsForTheOldContentUntilTheNewIsComplete() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "old");

    AtomicFile.write(
        file,
        out -> {
          out.write(new byte[100_000]);
          assertThat(file).hasContent("old");
        });

    assertThat(file).hasSize(100_000);
  }

  @Test
  void nothingIsLeftOfAWriteThatFails() {
    Path file = folder.resolve("file");

    assertThatThrownBy(() -> AtomicFile.write(file, AtomicFileTest::failHalfWay))
        .isInstanceOf(IOException.class)
        .hasMessage("disk full");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void whatStoodThereSurvivesAWriteThatFails() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "old");

    assertThatThrownBy(() -> AtomicFile.write(file, AtomicFileTest::failHalfWay))
        .hasMessage("disk full");
    assertThat(file).hasContent("old");
    assertThat(folder).isDirectoryNotContaining(path -> !path.equals(file));
  }

  private static void failHalfWay(OutputStream out) throws IOException {
    out.write(new byte[100_000]);
    throw new IOException("disk full");
  }
}
