package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** As tools make them that keep one copy of what several folders have. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aSymbolicLinkStays(boolean exists) throws IOException {
    Path target = Files.createDirectories(folder.resolve("deep/er")).resolve("target");
    if (exists) {
      Files.writeString(target, "old");
    }
    Path middle = Files.createSymbolicLink(folder.resolve("middle"), target);
    Path link = folder.resolve("deep/link");
    Files.createSymbolicLink(link, Path.of("..", "middle"));

    AtomicFile.write(link, out -> out.write('n'));

    assertThat(link).isSymbolicLink().hasContent("n");
    assertThat(middle).isSymbolicLink();
    assertThat(target).isRegularFile().hasContent("n");
    assertThat(target.getParent()).isDirectoryNotContaining(path -> !path.equals(target));
  }

  @Test
  void aRingOfLinksIsRefused() throws IOException {
    Path first = folder.resolve("first");
    Files.createSymbolicLink(first, folder.resolve("second"));
    Files.createSymbolicLink(folder.resolve("second"), first);

    assertThatThrownBy(() -> AtomicFile.write(first, out -> out.write('n')))
        .isInstanceOf(IOException.class)
        .hasMessage(first + " is a link that leads nowhere (expected a file at its end)");
  }

  @Test
  void aFolderThatIsMissingIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    for (Path missing : List.of(folder.resolve("none"), file)) {
      assertThatThrownBy(() -> AtomicFile.write(missing.resolve("x"), out -> out.write('n')))
          .isInstanceOf(IOException.class)
          .hasMessage(missing + " is no folder (expected one to write x to)");
    }
  }

  private static void failHalfWay(OutputStream out) throws IOException {
    out.write(new byte[100_000]);
    throw new IOException("disk full");
  }
}
