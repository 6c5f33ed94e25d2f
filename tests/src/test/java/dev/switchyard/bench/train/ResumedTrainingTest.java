package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.switchyard.bench.CommandProcess;
import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.command.FolderLock;
import dev.switchyard.bench.command.OutputFolder;
import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.data.NoiseImages;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.processes.SharedSteps;
import dev.switchyard.bench.processes.Sharing;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.OtherJvm;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.CheckpointFolder;
import dev.switchyard.mpi.SingleProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A training that was interrupted or killed, and went on, is the one that never was. */
class ResumedTrainingTest {
  private static final int TRAINING = 40;
  private static final int TEST = 20;

  /** Five steps an epoch. */
  private static final String[] OPTIONS = {
    "train",
    "--epochs",
    "3",
    "--batch",
    "8",
    "--width",
    "16",
    "--depth",
    "2",
    "--heads",
    "2",
    "--precision",
    "SWITCHBACK",
    "--threads",
    "1",
    "--save-every",
    "2"
  };

  private static final int STEPS = 15;
  private static final String LAST = "step-000000000500.safetensors";

  private final List<String> warnings = new ArrayList<>();

  @TempDir private Path folder;
  private Path data;
  private FashionMnist images;

  /** Noise is enough: nothing has to be learned. */
  @BeforeEach
  void writeData() throws IOException {
    data = Files.createDirectory(folder.resolve("data"));
    NoiseImages.write(data, TRAINING, TEST);
    images = FashionMnist.load(data);
  }

  // In this JVM, interrupted after any step

  private TrainOptions options(TaskName task, OptimizerName optimizer) {
    return new TrainOptions(
        task, List.of(Precision.SWITCHBACK), 3, 8, 16, 2, 2, optimizer, 0.01f, 2, 5, Sharing.ALONE);
  }

  private TrainingRun run(String name) {
    return new TrainingRun(
        folder.resolve(name),
        Precision.SWITCHBACK.name(),
        Map.of("task", "t"),
        5,
        4,
        Processes.alone(),
        warnings::add);
  }

  private Optional<TrainingResult> train(TrainOptions options, TrainingRun run, int leaveAfter) {
    Trainer trainer = new Trainer(options, images);
    int[] last = {0};
    return trainer.run(
        run,
        Precision.SWITCHBACK,
        (step, steps, loss, batch) -> {
          assertThat(steps).isEqualTo(STEPS);
          last[0] = step;
        },
        () -> last[0] == leaveAfter);
  }

  @Tag("full")
  @ParameterizedTest
  @CsvSource({"CLASSIFY, ADAMW", "CLASSIFY, STABLEADAMW", "CLIP, STABLEADAMW"})
  void goesOnAfterAnyStep(TaskName task, OptimizerName optimizer) throws IOException {
    TrainOptions options = options(task, optimizer);
    TrainingResult whole = train(options, run("whole"), -1).orElseThrow();
    assertThat(whole.losses()).hasSize(STEPS).doesNotHaveDuplicates();
    for (int step : new int[] {1, 3, 5, 9, 14}) {
      String name = "until" + step;
      assertThat(train(options, run(name), step)).isEmpty();
      assertThat(run(name).steps()).isEqualTo(step);
      assertThat(run(name).result()).isEmpty();

      TrainingResult resumed = train(options, run(name), -1).orElseThrow();

      assertThat(resumed.losses()).isEqualTo(whole.losses());
      assertThat(resumed.testAccuracy()).isEqualTo(whole.testAccuracy());
      assertThat(resumed.finalLoss()).isEqualTo(whole.finalLoss());
      assertSameWeights(name, "whole");
      assertThat(run(name).result()).contains(resumed);
    }
    assertThat(warnings).isEmpty();
  }

  private void assertSameWeights(String name, String expected) throws IOException {
    Map<String, FloatMatrix> weights = newest(name).weights();
    newest(expected)
        .weights()
        .forEach((w, value) -> assertThat(weights.get(w).data()).as(w).isEqualTo(value.data()));
  }

  private Checkpoint newest(String name) throws IOException {
    Path path = folder.resolve(name).resolve(Precision.SWITCHBACK.name());
    return new CheckpointFolder(path, 2, warnings::add).newest().orElseThrow();
  }

  @Test
  void goesOnFromTheCheckpointBeforeADamagedOne() throws IOException {
    TrainOptions options = options(TaskName.CLASSIFY, OptimizerName.ADAMW);
    TrainingResult whole = train(options, run("whole"), -1).orElseThrow();
    train(options, run("damaged"), 10);
    Path newest;
    try (Stream<Path> files = Files.list(folder.resolve("damaged").resolve("SWITCHBACK"))) {
      newest = files.sorted().toList().getLast();
    }
    byte[] bytes = Files.readAllBytes(newest);
    bytes[bytes.length / 2] ^= 1;
    Files.write(newest, bytes);

    TrainingRun run = run("damaged");
    assertThat(run.steps()).isEqualTo(8);
    assertThat(train(options, run, -1).orElseThrow().losses()).isEqualTo(whole.losses());
    assertThat(warnings).singleElement().asString().contains("the checkpoint before it is taken");
  }

  @Test
  void aResultThatIsNoNumberIsKept() {
    TrainingResult result =
        new TrainingResult("SWITCHBACK", 9, List.of(2), Double.NaN, List.of(2.5, Double.NaN));
    TrainOptions options = options(TaskName.CLASSIFY, OptimizerName.ADAMW);
    TrainingTask.Learner model =
        options.task().create(options, images, new SingleProcess()).model(Precision.SWITCHBACK);
    Kernels kernels = Kernels.create(Parallel.serial());
    SharedSteps steps =
        new SharedSteps(
            Processes.alone(),
            Sharing.ALONE,
            kernels,
            Tape.recording(kernels),
            new Profile(),
            model.parameters(),
            parameters -> options.optimizer().create(kernels, parameters),
            1);
    run("bad").finish(model.parameters(), steps.optimizer(), steps.extra(), result);
    assertThat(run("bad").result()).contains(result);
  }

  // The command

  private String[] arguments(String out, String... more) {
    List<String> arguments = new ArrayList<>(List.of(OPTIONS));
    arguments.addAll(List.of("--data", data.toString(), "--out", folder.resolve(out).toString()));
    arguments.addAll(List.of(more));
    return arguments.toArray(String[]::new);
  }

  /** So many epochs that it does not end before it is stopped. */
  private String[] longArguments(String out, String... more) {
    List<String> arguments = new ArrayList<>(List.of(arguments(out, more)));
    arguments.set(arguments.indexOf("--epochs") + 1, "300");
    return arguments.toArray(String[]::new);
  }

  private String curves(String out) throws IOException {
    return Files.readString(folder.resolve(out).resolve("curves.csv"));
  }

  @Tag("full")
  @EnabledOnOs({OS.LINUX, OS.MAC})
  @Test
  void ctrlCSavesAndResumeGoesOn() throws IOException, InterruptedException {
    assumeFalse(
        OtherJvm.ignoresInterrupts(), "what a shell starts in the background ignores Ctrl-C");
    assertThat(CommandRun.of(longArguments("whole")).exitCode()).isZero();
    CommandProcess command = start("interrupted");
    Path checkpoints = folder.resolve("interrupted").resolve("checkpoints");
    command.await(() -> holdsCheckpoint(checkpoints.resolve("SWITCHBACK")));
    command.interrupt(checkpoints);
    assertThat(folder.resolve("interrupted")).isDirectoryNotContaining("glob:**.csv");

    CommandRun refused = CommandRun.of(longArguments("interrupted"));
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err())
        .contains(checkpoints + " holds a training in SWITCHBACK that ended at step ");

    CommandRun resumed = CommandRun.of(longArguments("interrupted", "--resume"));
    assertThat(resumed.exitCode()).as(resumed.err()).isZero();
    assertThat(curves("interrupted")).isEqualTo(curves("whole"));
  }

  private static boolean holdsCheckpoint(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return false;
    }
    try (Stream<Path> files = Files.list(path)) {
      return files.anyMatch(file -> file.toString().endsWith(".safetensors"));
    }
  }

  private CommandProcess start(String out) throws IOException {
    return CommandProcess.start(folder.resolve("output"), longArguments(out));
  }

  @Tag("full")
  @Test
  void aKilledTrainingGoesOn() throws IOException, InterruptedException {
    assertThat(CommandRun.of(longArguments("whole")).exitCode()).isZero();
    int unfinished = 0;
    for (int kill = 0; kill < 3; kill++) {
      CommandProcess command = start("killed" + kill);
      Path checkpoints = folder.resolve("killed" + kill).resolve("checkpoints/SWITCHBACK");
      command.await(() -> holdsCheckpoint(checkpoints));
      Process process = command.process();
      process.waitFor(CounterRandom.bits(6, kill) >>> 27, TimeUnit.MILLISECONDS);
      process.destroyForcibly().waitFor();
      try (Stream<Path> files = Files.list(checkpoints)) {
        unfinished += files.noneMatch(file -> file.endsWith(LAST)) ? 1 : 0;
      }

      CommandRun resumed = CommandRun.of(longArguments("killed" + kill, "--resume"));
      assertThat(resumed.exitCode()).as(resumed.err()).isZero();
      assertThat(curves("killed" + kill)).isEqualTo(curves("whole"));
    }
    assertThat(unfinished).as("trainings that were killed before their end").isPositive();
  }

  @Test
  void aFinishedTrainingIsShownAgainButNotReplaced() throws IOException {
    CommandRun first = CommandRun.of(arguments("out"));
    assertThat(first.exitCode()).as(first.err()).isZero();
    CommandRun again = CommandRun.of(arguments("out", "--resume"));
    assertThat(again.exitCode()).as(again.err()).isZero();
    assertThat(results(again)).isNotEmpty().isEqualTo(results(first));
    CommandRun another = CommandRun.of(arguments("out", "--seed", "2"));
    assertThat(another.exitCode()).isEqualTo(2);
    Path result = folder.resolve("out").resolve("result.json");
    assertThat(another.err())
        .contains(result + " is there already (expected another folder for --out, or");
    Files.delete(result);
    another = CommandRun.of(arguments("out", "--seed", "2"));
    assertThat(another.exitCode()).as(another.err()).isZero();
    assertThat(results(another)).isNotEqualTo(results(first));
  }

  /** What does not depend on the time it took. */
  private static List<String> results(CommandRun run) {
    return run.out().lines().filter(line -> line.matches("(final loss|test acc).*")).toList();
  }

  @Test
  void twoTrainingsDoNotWriteToOneFolder() {
    Path out = folder.resolve("out");
    try (FolderLock _ = new OutputFolder(out).lock()) {
      CommandRun second = CommandRun.of(arguments("out"));
      assertThat(second.exitCode()).isEqualTo(1);
      assertThat(second.err()).contains("another switchyard command works in " + out);
    }
    assertThat(out).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({
    "--width, 32, --width is 32 but, was begun with 16 (expected the same or another --out)",
    "--seed, 9, --seed is 9 but, was begun with 1 (expected",
    "--optimizer, STABLEADAMW, --optimizer is STABLEADAMW but, was begun with ADAMW (expected",
    "--rate, 0.5, --rate is 0.5 but, was begun with 0.001 (expected",
    "--epochs, 4, --epochs is 4 but, was begun with 3 (expected",
    "--task, CLIP, --task is CLIP but, was begun with CLASSIFY (expected"
  })
  void refusesToGoOnWithOtherOptions(String option, String value, String now, String then) {
    assertThat(CommandRun.of(arguments("out")).exitCode()).isZero();
    List<String> changed = new ArrayList<>(List.of(arguments("out", "--resume")));
    int given = changed.indexOf(option);
    if (given >= 0) {
      changed.set(given + 1, value);
    } else {
      changed.addAll(List.of(option, value));
    }
    CommandRun resumed = CommandRun.of(changed.toArray(String[]::new));
    assertThat(resumed.exitCode()).isEqualTo(2);
    assertThat(resumed.err()).contains(now, then.substring(0, then.indexOf(" (") + 2));
  }

  @Test
  void refusesToGoOnWithOtherImages() throws IOException {
    assertThat(CommandRun.of(arguments("out")).exitCode()).isZero();
    Path file = data.resolve("train-images-idx3-ubyte");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 300] ^= 1;
    Files.write(file, bytes);
    CommandRun resumed = CommandRun.of(arguments("out", "--resume"));
    assertThat(resumed.exitCode()).isEqualTo(2);
    assertThat(resumed.err()).contains("--data is 40 images of 28x28 with SHA-256 ");
  }

  @Test
  void refusesToGoOnWithNothing() {
    CommandRun resumed = CommandRun.of(arguments("out", "--resume"));
    assertThat(resumed.exitCode()).isEqualTo(2);
    assertThat(resumed.err())
        .contains("--resume finds no checkpoint of [SWITCHBACK] in ")
        .contains("(expected a training to go on with)");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @ParameterizedTest
  @EnumSource
  void everyTaskTrainsFromTheCommand(TaskName task) {
    CommandRun run = CommandRun.of(arguments("out", "--task", task.name()));
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out()).contains(task == TaskName.CLIP ? "zero-shot accuracy" : "test accuracy");
    assertThat(Arrays.asList(folder.resolve("out").toFile().list()))
        .contains("result.json", "curves.csv", "checkpoints");
  }
}
