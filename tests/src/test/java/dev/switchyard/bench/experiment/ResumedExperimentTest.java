package dev.switchyard.bench.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.switchyard.bench.CommandProcess;
import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.data.NoiseImages;
import dev.switchyard.bench.page.Findings;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.OtherJvm;
import dev.switchyard.kernels.parallel.Parallel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** An experiment that was interrupted, and went on, finds what one does that never was. */
class ResumedExperimentTest {
  private static final long SEED = 3;

  @TempDir private Path folder;
  private FashionMnist images;

  @BeforeEach
  void writeImages() throws IOException {
    Path data = Files.createDirectory(folder.resolve("data"));
    NoiseImages.write(data, 600, 20);
    images = FashionMnist.load(data);
  }

  static Stream<Arguments> interruptions() {
    return Stream.of(
        // In the first training or draw, at the end of one, and in a later one.
        interrupted(new LayerScaleExperiment(), 0.02, 3, 3, 9),
        interrupted(new SpikesExperiment(), 0.02, 2, 2, 50),
        interrupted(new NoiseExperiment(), 0.01, 1, 2, 9, 15),
        interrupted(new InstabilityExperiment(), 0.1, 1, 24),
        interrupted(new PrecisionsExperiment(ExperimentsTest.TINY), 0.3, 17, 5, 70));
  }

  private static Arguments interrupted(Experiment experiment, double size, int... steps) {
    return Arguments.of(Named.of(experiment.name(), experiment), size, steps);
  }

  @Tag("full")
  @ParameterizedTest
  @MethodSource("interruptions")
  void goesOn(Experiment experiment, double size, int[] stepsUntilInterrupted) {
    int[] stepsOfAll = {0};
    List<String> whole = run(experiment, size, "whole", () -> ++stepsOfAll[0] < 0).csv();
    for (int steps : stepsUntilInterrupted) {
      int[] asked = {0};
      assertThatThrownBy(() -> run(experiment, size, "parts", () -> ++asked[0] == steps))
          .isInstanceOf(Setting.Interrupted.class);
    }

    int[] stepsLeft = {0};
    Findings resumed = run(experiment, size, "parts", () -> ++stepsLeft[0] < 0);

    assertThat(resumed.csv()).isEqualTo(whole);
    assertThat(stepsLeft[0]).isPositive().isLessThan(stepsOfAll[0]);
  }

  private Findings run(Experiment experiment, double size, String name, BooleanSupplier asked) {
    return experiment.run(
        new Setting(
            Kernels.create(Parallel.ofThreads(2)),
            2,
            images,
            SEED,
            size,
            parts(name, Map.of()),
            asked,
            ProgressDisplay.none()));
  }

  private KeptParts parts(String name, Map<String, String> options) {
    return new KeptParts(folder.resolve(name), options, SEED, warning -> {});
  }

  @Test
  void otherExperimentsAreRefused() {
    KeptParts parts = parts("kept", Map.of("scale", "1.0", "seed", "3"));
    assertThatThrownBy(parts::resume)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "--resume finds nothing in %s (expected an experiment that was interrupted)",
            folder.resolve("kept"));

    parts.begin();

    parts.resume();
    assertThatThrownBy(parts::begin)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(folder.resolve("kept") + " holds an unfinished experiment ");
    assertThatThrownBy(parts("kept", Map.of("scale", "2.0", "seed", "3"))::resume)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "--scale is 2.0 but the experiment in %s was begun with 1.0 (expected the same, or"
                + " another --out)",
            folder.resolve("kept"));
  }

  @Tag("full")
  @EnabledOnOs({OS.LINUX, OS.MAC})
  @Test
  void ctrlCKeepsWhatIsDoneAndResumeGoesOn() throws IOException, InterruptedException {
    assumeFalse(OtherJvm.ignoresInterrupts(), "what a shell starts in the background ignores it");
    assertThat(CommandRun.of(command("whole")).exitCode()).isZero();
    Path kept = folder.resolve("interrupted").resolve("checkpoints").resolve("spikes");
    CommandProcess process = CommandProcess.start(folder.resolve("output"), command("interrupted"));
    process.await(() -> holdsTraining(kept));
    process.interrupt(kept);

    CommandRun refused = CommandRun.of(command("interrupted"));
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err()).contains(kept + " holds an unfinished experiment");

    CommandRun resumed = CommandRun.of(command("interrupted", "--resume"));
    assertThat(resumed.exitCode()).as(resumed.err()).isZero();
    assertThat(folder.resolve("interrupted").resolve("spikes.csv"))
        .hasSameTextualContentAs(folder.resolve("whole").resolve("spikes.csv"));
    assertThat(kept).doesNotExist();
  }

  private String[] command(String out, String... more) {
    List<String> command =
        new ArrayList<>(
            List.of("experiment", "spikes", "--scale", "0.02", "--threads", "1", "--out"));
    command.add(folder.resolve(out).toString());
    command.addAll(List.of(more));
    return command.toArray(String[]::new);
  }

  private static boolean holdsTraining(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return false;
    }
    try (Stream<Path> files = Files.list(path)) {
      return files.anyMatch(Files::isDirectory);
    }
  }
}
