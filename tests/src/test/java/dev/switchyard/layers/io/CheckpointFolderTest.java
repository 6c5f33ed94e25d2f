package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.OtherJvm;
import dev.switchyard.kernels.data.CounterRandom;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class CheckpointFolderTest {
  private final List<String> warnings = new ArrayList<>();

  @TempDir private Path directory;
  private Path path;
  private CheckpointFolder folder;

  @BeforeEach
  void createFolder() {
    path = directory.resolve("run").resolve("checkpoints");
    folder = new CheckpointFolder(path, 2, warnings::add);
  }

  @Test
  void keepsTheLast() throws IOException {
    assertThat(folder.newest()).isEmpty();
    for (int step = 8; step < 12; step++) {
      folder.save(Checkpoints.at(step, 3));
    }

    assertThat(files()).containsExactly(name(10), name(11));
    assertThat(Checkpoints.text(folder.newest().orElseThrow()))
        .isEqualTo(Checkpoints.text(Checkpoints.at(11, 3)));
    assertThat(warnings).isEmpty();
  }

  @Test
  void aDamagedNewestIsPassedOverWithAWarning() throws IOException {
    folder.save(Checkpoints.at(1, 3));
    Path newest = folder.save(Checkpoints.at(2, 3));
    byte[] bytes = Files.readAllBytes(newest);
    Files.write(newest, Arrays.copyOf(bytes, bytes.length - 1));

    assertThat(folder.newest().orElseThrow().progress().step()).isEqualTo(1);
    assertThat(warnings)
        .singleElement()
        .asString()
        .startsWith(newest + " holds ")
        .endsWith("; the checkpoint before it is taken, if there is one");
  }

  @Test
  void nothingValid() throws IOException {
    Files.createDirectories(path);
    Files.write(path.resolve(name(1)), new byte[0]);

    assertThat(folder.newest()).isEmpty();
    assertThat(warnings).hasSize(1);
  }

  /** After a damaged newest, the run goes on from the one before. */
  @Test
  void goingBackDeletesNeitherTheNewNorTheLater() throws IOException {
    Files.createDirectories(path);
    Files.write(path.resolve(name(5)), new byte[0]);
    for (int step = 1; step < 4; step++) {
      folder.save(Checkpoints.at(step, 3));
    }

    assertThat(files()).containsExactly(name(2), name(3), name(5));
    assertThat(folder.newest().orElseThrow().progress().step()).isEqualTo(3);
  }

  @Test
  void removesWhatAKilledProcessLeftAndNothingElse() throws IOException {
    Files.createDirectories(path);
    Files.write(path.resolve("." + name(1) + ".1-1.tmp"), new byte[1]);
    Files.write(path.resolve("notes.tmp"), new byte[1]);
    Files.write(path.resolve("step-1.safetensors"), new byte[1]);
    for (int step = 1; step < 5; step++) {
      folder.save(Checkpoints.at(step, 3));
    }

    assertThat(files()).containsExactly("notes.tmp", name(3), name(4), "step-1.safetensors");
  }

  @Test
  void keepingNoneIsRefused() {
    assertThatThrownBy(() -> new CheckpointFolder(path, 0, warnings::add))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("keep is 0 (expected 1 or more)");
  }

  @Test
  void aFileThatCannotBeReplacedLeavesAllAsItWas() throws IOException {
    folder.save(Checkpoints.at(1, 3));
    Files.createDirectories(path.resolve(name(2)).resolve("in the way"));

    assertThatThrownBy(() -> folder.save(Checkpoints.at(2, 3))).isInstanceOf(IOException.class);
    assertThat(files()).containsExactly(name(1), name(2));
    assertThat(folder.newest().orElseThrow().progress().step()).isEqualTo(1);
  }

  /** The system refuses to let a file grow, as it does on a full disk. */
  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void aFullDiskLeavesThePreviousCheckpoint() throws IOException, InterruptedException {
    folder.save(Checkpoints.at(1, 3));

    saveOnAFullDisk();

    assertThat(files()).containsExactly(name(1));
    assertThat(Checkpoints.text(folder.newest().orElseThrow()))
        .isEqualTo(Checkpoints.text(Checkpoints.at(1, 3)));
  }

  /** Not even a folder that was made for it. */
  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void aFullDiskAtTheFirstCheckpointLeavesNothing() throws IOException, InterruptedException {
    saveOnAFullDisk();
    assertThat(path.getParent()).doesNotExist();

    Files.createDirectory(path.getParent());
    saveOnAFullDisk();
    assertThat(path.getParent()).isEmptyDirectory();
  }

  private void saveOnAFullDisk() throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of("sh", "-c", "ulimit -f 600; exec \"$@\"", "sh")); // of 512 or 1024
    command.addAll(savingLoop());

    OtherJvm run = OtherJvm.finish(directory, command);

    assertThat(run.exit()).as(run.output()).isEqualTo(1);
    assertThat(run.output()).contains("IOException").doesNotContain("\n2\n");
  }

  /**
   * Each time in another moment of the loop, fifteen times and until one was in the middle of a
   * file: how much of the time that is depends on the disk.
   */
  @Tag("full")
  @Test
  void aKilledProcessLeavesAValidCheckpoint() throws IOException, InterruptedException {
    long newest = 0;
    int unfinished = 0;
    for (int kill = 0; kill < 15 || (unfinished == 0 && kill < 150); kill++) {
      long done = saveAndKill(kill);
      unfinished += (int) files().stream().filter(name -> name.endsWith(".tmp")).count();

      Checkpoint checkpoint = folder.newest().orElseThrow();
      long step = checkpoint.progress().step();
      assertThat(step).isGreaterThanOrEqualTo(Math.max(done, newest));
      assertThat(Checkpoints.text(checkpoint))
          .isEqualTo(Checkpoints.text(Checkpoints.at(step, SavingLoop.ELEMENTS)));
      assertThat(warnings).isEmpty();
      assertThat(files().stream().filter(name -> name.endsWith(".safetensors")))
          .hasSizeBetween(1, SavingLoop.KEEP + 1);
      newest = step;
    }
    // That no kill at all came while a file was written would make this test worthless.
    assertThat(unfinished).isPositive();
    folder.save(Checkpoints.at(newest + 1, 3));
    assertThat(files()).hasSize(2).noneMatch(name -> name.endsWith(".tmp"));
  }

  /** Kills the loop a random time after a few checkpoints; returns the last that it reported. */
  private long saveAndKill(int kill) throws IOException, InterruptedException {
    Process process = OtherJvm.builder(savingLoop()).start();
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      long done = 0;
      for (int i = 0; i < 1 + kill % 3; i++) {
        done = Long.parseLong(lines.readLine());
      }
      assertThat(process.waitFor(CounterRandom.bits(5, kill) >>> 27, TimeUnit.MILLISECONDS))
          .isFalse();
      return done;
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private List<String> savingLoop() {
    return OtherJvm.command(SavingLoop.class, "-Dfolder=" + path, "-Xmx64m", "-XX:+UseSerialGC");
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static String name(int step) {
    return String.format(Locale.ROOT, "step-%012d.safetensors", step);
  }
}
