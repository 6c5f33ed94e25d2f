package dev.switchyard.bench.processes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.Switchyard;
import dev.switchyard.encoders.TinyModel;
import dev.switchyard.kernels.OtherJvm;
import dev.switchyard.mpi.MpiRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands in several processes of mpirun, and what happens when one of them ends. */
class ProcessesTest {
  private static final List<String> TRAIN =
      List.of(
          "train",
          "--width=16",
          "--depth=1",
          "--heads=1",
          "--batch=600",
          "--precision=SWITCHBACK",
          "--threads=1");

  @TempDir private Path folder;

  @BeforeEach
  void requireMpi() {
    MpiRun.OPEN_MPI.require();
  }

  private static List<String> java(List<String> arguments, String... more) {
    List<String> command =
        new ArrayList<>(
            OtherJvm.command(
                Switchyard.class,
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx400m"));
    command.addAll(arguments);
    command.addAll(List.of(more));
    return command;
  }

  private OtherJvm run(int processes, List<String> arguments, String... more) throws Exception {
    return MpiRun.OPEN_MPI.run(folder, processes, java(arguments, more));
  }

  private String out(String name) {
    return "--out=" + folder.resolve(name);
  }

  private String curves(String name) throws IOException {
    return Files.readString(folder.resolve(name).resolve("curves.csv"));
  }

  private static CommandRun alone(List<String> arguments, String... more) {
    return CommandRun.of(Stream.concat(arguments.stream(), Stream.of(more)).toArray(String[]::new));
  }

  @Tag("full")
  @Test
  void aTrainingHasTheSameBitsOnAnyNumberOfProcesses() throws Exception {
    String[] ordered = {"--gradients=ORDERED", "--shards=6", "--epochs=1"};
    CommandRun one = alone(TRAIN, concat(ordered, out("1")));
    assertThat(one.exitCode()).as(one.err()).isZero();
    for (int processes = 2; processes <= 3; processes++) {
      OtherJvm many =
          run(processes, TRAIN, concat(ordered, out(processes + ""), "--shard-optimizer"));
      assertThat(many.exit()).as(many.output()).isZero();
      assertThat(many.output()).contains("Processes: " + processes + ", Open MPI", "exchange");
      assertThat(curves(processes + "")).isEqualTo(curves("1"));
      assertThat(Files.readString(folder.resolve(processes + "").resolve("result.json")))
          .contains("\"processes\" : " + processes, "\"bytesSentPerStep\"", "\"optimizerBytes\"");
    }
  }

  private static String[] concat(String[] some, String... more) {
    return Stream.concat(Stream.of(some), Stream.of(more)).toArray(String[]::new);
  }

  /**
   * A loss over the whole batch, and parts that are not of one size: sums in another order, which a
   * training of 20 steps does not carry far.
   */
  @Tag("full")
  @ParameterizedTest
  @CsvSource({"CLIP, 2", "CLASSIFY, 3"})
  void aTrainingComesCloseInAnyOrderOfSums(String task, int processes) throws Exception {
    String[] options = {"--task=" + task, "--epochs=1", "--batch=599", "--precision=FLOAT32"};
    List<String> train = TRAIN.stream().filter(o -> !o.startsWith("--batch")).toList();
    train = train.stream().filter(o -> !o.startsWith("--precision")).toList();
    CommandRun one = alone(train, concat(options, out("one")));
    assertThat(one.exitCode()).as(one.err()).isZero();
    OtherJvm many = run(processes, train, concat(options, out("many")));
    assertThat(many.exit()).as(many.output()).isZero();
    List<String> expected = curves("one").lines().skip(1).toList();
    List<String> actual = curves("many").lines().skip(1).toList();
    assertThat(actual).hasSameSizeAs(expected);
    for (int step = 0; step < expected.size(); step++) {
      assertThat(Math.abs(loss(actual.get(step)) - loss(expected.get(step))))
          .as("step %d", step)
          .isLessThan(1e-3 * loss(expected.get(step)));
    }
  }

  private static double loss(String line) {
    return Double.parseDouble(line.substring(line.indexOf(',') + 1));
  }

  @Tag("full")
  @Test
  void anEncoderIsAdaptedByAll() throws Exception {
    Path model = TinyModel.write(folder.resolve("model"));
    Path data = folder.resolve("texts.tsv");
    Files.writeString(
        data,
        IntStream.range(0, 40)
            .mapToObj(i -> i % 2 == 0 ? "spam\tfree money offer\n" : "ham\tthe meeting a code\n")
            .reduce("", String::concat));
    List<String> adapt =
        List.of(
            "adapt",
            "--model=" + model,
            "--data=" + data,
            "--max-tokens=12",
            "--bottleneck=4",
            "--light-steps=3",
            "--epochs=2",
            "--batch=6",
            "--only=coda-r3",
            "--gradients=ORDERED",
            "--shards=2",
            "--threads=1");
    CommandRun one = alone(adapt, out("one"));
    assertThat(one.exitCode()).as(one.err()).isZero();
    OtherJvm two = run(2, adapt, out("two"));
    assertThat(two.exit()).as(two.output()).isZero();
    for (String variant : List.of("dense", "coda-r3")) {
      assertThat(folder.resolve("two").resolve(variant + ".safetensors"))
          .hasSameBinaryContentAs(folder.resolve("one").resolve(variant + ".safetensors"));
    }
  }

  @Tag("full")
  @Test
  void aProcessThatDiffersIsRefused() throws Exception {
    requireRefusal("--precision", "[SWITCHBACK]", "[FLOAT32]");
  }

  @Tag("full")
  @Test
  void aProcessWithAnotherFolderIsRefused() throws Exception {
    requireRefusal("--out", "a", "b");
  }

  private void requireRefusal(String option, String first, String second) throws Exception {
    List<String> common = new ArrayList<>(List.of("train", "--width=16", "--epochs=1"));
    List.of("--seed=1", "--out=a", "--precision=SWITCHBACK").stream()
        .filter(given -> !given.startsWith(option))
        .forEach(common::add);
    List<String> command =
        MpiRun.OPEN_MPI.command(1, java(common, option + "=" + first.replaceAll("[\\[\\]]", "")));
    command.add(":");
    command.addAll(List.of("-np", "1"));
    command.addAll(java(common, option + "=" + second.replaceAll("[\\[\\]]", "")));

    OtherJvm run = OtherJvm.finish(folder, command);

    assertThat(run.exit()).isNotZero();
    assertThat(run.output())
        .contains(
            String.format(
                Locale.ROOT,
                "process 1: process 1 has %s %s but process 0 has %s (expected the same"
                    + " everywhere)",
                option,
                second,
                first));
    assertThat(Path.of("a")).doesNotExist();
  }

  @Tag("full")
  @Test
  void optionsThatDoNotFitAreRefused() throws Exception {
    assertThat(run(2, TRAIN, "--gradients=ORDERED", "--shards=3", out("a")).output())
        .contains("--shards is 3 but there are 2 processes (expected a multiple of these)");
    assertThat(alone(TRAIN, "--shards=2", out("a")).err())
        .contains("--shards is for --gradients ORDERED, but that is FLOAT32");
    assertThat(alone(TRAIN, "--shards=601", "--gradients=ORDERED", out("a")).err())
        .contains("--batch is 600, which 601 shards cannot share (expected one a shard or more)");
    assertThat(alone(TRAIN, "--local-steps=-1", out("a")).err())
        .contains("--local-steps is -1 (expected 0 or more");
  }

  /**
   * A process is killed, the others stop, and the training goes on with another number of processes
   * from the last checkpoint, to the bits of a training that nobody disturbed.
   */
  @Tag("full")
  @ParameterizedTest
  @CsvSource({"2, 3, 1", "3, 1, 0", "3, 2, 2"})
  void whatIsKilledGoesOnOnAnotherNumberOfProcesses(int before, int after, int killed)
      throws Exception {
    String[] options = {
      "--gradients=ORDERED", "--shards=6", "--epochs=3", "--save-every=3", "--optimizer=STABLEADAMW"
    };
    CommandRun undisturbed = alone(TRAIN, concat(options, out("expected")));
    assertThat(undisturbed.exitCode()).as(undisturbed.err()).isZero();

    Path log = folder.resolve("log");
    Process mpirun = startAndAwaitCheckpoint(log, before, options);
    List<ProcessHandle> processes =
        mpirun.descendants().filter(child -> command(child).contains("java")).toList();
    assertThat(processes).hasSize(before);
    processes.get(killed).destroyForcibly();

    assertThat(mpirun.waitFor(30, TimeUnit.SECONDS)).as("the others stop").isTrue();
    assertThat(mpirun.exitValue()).isNotZero();
    for (ProcessHandle process : processes) {
      process.onExit().get(30, TimeUnit.SECONDS);
    }
    assertThat(Files.readString(log)).contains("on signal 9 (Killed)");

    OtherJvm resumed = run(after, TRAIN, concat(options, out("actual"), "--resume"));
    assertThat(resumed.exit()).as(resumed.output()).isZero();
    assertThat(curves("actual")).isEqualTo(curves("expected"));
  }

  private static String command(ProcessHandle process) {
    return process.info().command().orElse("");
  }

  /** A command that trains in {@code folder/actual}, after its first checkpoint. */
  private Process startAndAwaitCheckpoint(Path log, int processes, String... options)
      throws Exception {
    Path checkpoints = folder.resolve("actual").resolve("checkpoints").resolve("SWITCHBACK");
    Files.createDirectories(checkpoints);
    try (WatchService watch = checkpoints.getFileSystem().newWatchService()) {
      checkpoints.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
      Process mpirun =
          OtherJvm.builder(
                  MpiRun.OPEN_MPI.command(processes, java(TRAIN, concat(options, out("actual")))))
              .redirectOutput(log.toFile())
              .start();
      while (true) {
        WatchKey key = watch.poll(60, TimeUnit.SECONDS);
        assertThat(key).as("a checkpoint; so far: %s", Files.readString(log)).isNotNull();
        if (key.pollEvents().stream().anyMatch(e -> e.context().toString().startsWith("step-"))) {
          return mpirun;
        }
        key.reset();
      }
    }
  }

  @Tag("full")
  @Test
  void ctrlCSavesTheTrainingOfAll() throws Exception {
    Path log = folder.resolve("log");
    Process mpirun = startAndAwaitCheckpoint(log, 2, "--epochs=500", "--save-every=2");
    mpirun.destroy();

    assertThat(mpirun.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(Files.readString(log, StandardCharsets.UTF_8))
        .contains("Told to end, by Ctrl-C or because another process has ended.")
        .contains("--resume goes on");
  }
}
