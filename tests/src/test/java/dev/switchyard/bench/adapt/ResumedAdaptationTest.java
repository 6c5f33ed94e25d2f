package dev.switchyard.bench.adapt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.switchyard.bench.CommandProcess;
import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.data.LabelledTexts;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.processes.Sharing;
import dev.switchyard.bench.train.TrainingRun;
import dev.switchyard.encoders.TinyModel;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.kernels.OtherJvm;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.io.Weights;
import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An adaptation that was interrupted, and went on, is the one that never was. */
class ResumedAdaptationTest {
  private static final int LIGHT = 3;
  private static final int BATCH = 4;
  private static final int EPOCHS = 2;

  @TempDir private Path folder;
  private Path model;
  private Path data;

  @BeforeEach
  void write() throws IOException {
    model = TinyModel.write(folder.resolve("model"));
    data = folder.resolve("texts.tsv");
    StringBuilder texts = new StringBuilder();
    for (int i = 0; i < 10; i++) {
      texts.append("spam\tfree money").append(i % 2 == 0 ? "" : " offer the").append('\n');
      texts.append("ham\tthe meeting").append(i % 3 == 0 ? "" : " a code lunch !").append('\n');
    }
    Files.writeString(data, texts);
  }

  /** Behind the last step of the light phase there is no optimizer to save: one more is made. */
  @Tag("full")
  @ParameterizedTest
  @ValueSource(strings = {"dense", "coda-r3", "random", "adapter"})
  void goesOnAfterAnyStep(String name) throws IOException {
    Variant variant =
        Variant.all().stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
    int steps = EPOCHS * 4 + (variant.isDense() ? 0 : LIGHT);
    Adaptation adaptation = adaptation();
    Classifier whole = train(adaptation, variant, run("whole"), -1).orElseThrow();
    for (int step = 1; step < steps; step++) {
      String part = "until" + step;
      assertThat(train(adaptation, variant, run(part), step)).isEmpty();
      boolean between = step == LIGHT && !variant.isDense();
      assertThat(run(part).steps()).isEqualTo(between ? step + 1 : step);

      Classifier resumed = train(adaptation, variant, run(part), -1).orElseThrow();

      assertSame(adaptation, resumed, whole);
    }
    assertThat(run("whole").steps()).isEqualTo(steps);
    Classifier read = train(adaptation, variant, run("whole"), -1).orElseThrow();
    assertSame(adaptation, read, whole);
  }

  private static void assertSame(Adaptation adaptation, Classifier actual, Classifier expected) {
    Weights.of(expected.learned())
        .forEach(
            (name, weight) ->
                assertThat(Weights.of(actual.learned()).get(name).data())
                    .as(name)
                    .isEqualTo(weight.data()));
    assertThat(adaptation.test(actual)).isEqualTo(adaptation.test(expected));
  }

  private Adaptation adaptation() throws IOException {
    return adaptation(LabelledTexts.load(data).split(0.2, 5), "tokenizer.json");
  }

  private Adaptation adaptation(LabelledTexts.Split split, String tokenizer) throws IOException {
    AdaptOptions options =
        new AdaptOptions(
            CodaOptions.of(1, Precision.BFLOAT16).withAdapter(4, 1, true, 0),
            Precision.SWITCHBACK_Q,
            Pooling.MEAN,
            12,
            BATCH,
            LIGHT,
            EPOCHS,
            0.01f,
            2,
            5,
            Sharing.ALONE);
    return new Adaptation(
        options,
        TinyModel.read(model, Precision.SWITCHBACK_Q),
        WordPieceTokenizer.read(model.resolveSibling(tokenizer)),
        split,
        Processes.alone());
  }

  private TrainingRun run(String name) {
    return new TrainingRun(folder, name, Map.of(), 5, 0, Processes.alone(), warning -> {});
  }

  private static Optional<Classifier> train(
      Adaptation adaptation, Variant variant, TrainingRun run, int leaveAfter) {
    int[] last = {0};
    return adaptation.train(
        variant,
        run,
        (step, steps, phase, loss) -> last[0] = step,
        () -> leaveAfter > 0 && last[0] >= leaveAfter);
  }

  /** Training and test labels, texts and tokens are part of what a training is. */
  @Test
  void otherDataAreAnotherTraining() throws IOException {
    LabelledTexts.Split split = LabelledTexts.load(data).split(0.2, 5);
    Map<String, String> identity = identity(split, "tokenizer.json");
    assertThat(identity(split, "tokenizer.json")).isEqualTo(identity);
    List<LabelledTexts.Split> others =
        List.of(
            new LabelledTexts.Split(split.training(), relabelled(split.test())),
            new LabelledTexts.Split(relabelled(split.training()), split.test()),
            new LabelledTexts.Split(split.test(), split.training()));
    for (LabelledTexts.Split other : others) {
      assertThat(identity(other, "tokenizer.json").get("data")).isNotEqualTo(identity.get("data"));
    }

    Path tokenizer = model.resolveSibling("tokenizer.json");
    String changed = Files.readString(tokenizer).replace("\"free\"", "\"eerf\"");
    Files.writeString(tokenizer.resolveSibling("other.json"), changed);
    Map<String, String> withOther = identity(split, "other.json");
    assertThat(withOther.get("tokenizer")).isNotEqualTo(identity.get("tokenizer"));
    assertThat(withOther.get("data")).isEqualTo(identity.get("data"));
  }

  private static LabelledTexts relabelled(LabelledTexts texts) {
    List<Integer> labels = new ArrayList<>(texts.labels());
    labels.set(0, 1 - labels.getFirst());
    return new LabelledTexts(texts.classes(), texts.texts(), labels);
  }

  private Map<String, String> identity(LabelledTexts.Split split, String tokenizer)
      throws IOException {
    return AdaptCommand.identity(
        adaptation(split, tokenizer), TinyModel.read(model, Precision.SWITCHBACK_Q));
  }

  // The command

  @Tag("full")
  @EnabledOnOs({OS.LINUX, OS.MAC})
  @Test
  void ctrlCSavesAndResumeGoesOn() throws IOException, InterruptedException {
    assumeFalse(OtherJvm.ignoresInterrupts(), "what a shell starts in the background ignores it");
    assertThat(CommandRun.of(command("whole")).exitCode()).isZero();
    assertThat(folder.resolve("whole/checkpoints")).doesNotExist();
    Path checkpoints = folder.resolve("interrupted").resolve("checkpoints");
    CommandProcess process = CommandProcess.start(folder.resolve("output"), command("interrupted"));
    process.await(() -> Files.exists(checkpoints));
    process.interrupt(checkpoints);

    assertUsageError(
        command("interrupted"), checkpoints + " holds a training in dense that ended at step ");
    assertUsageError(
        command("interrupted", "--resume", "--rate", "0.5"),
        "--rate is 0.5 but the run in " + checkpoints.resolve("dense") + " was begun with 0.003");
    assertUsageError(
        command("whole", "--resume"),
        "--resume finds no checkpoint of [dense, coda-r3] in "
            + folder.resolve("whole/checkpoints"));

    CommandRun resumed = CommandRun.of(command("interrupted", "--resume"));
    assertThat(resumed.exitCode()).as(resumed.err()).isZero();
    for (String name : List.of("dense.safetensors", "coda-r3.safetensors")) {
      assertThat(folder.resolve("interrupted").resolve(name))
          .hasSameBinaryContentAs(folder.resolve("whole").resolve(name));
    }
    assertThat(checkpoints).doesNotExist();
  }

  /**
   * Ctrl-C when all is learned, and an encoder of real size is being measured, which takes seconds.
   */
  @Tag("full")
  @EnabledOnOs({OS.LINUX, OS.MAC})
  @Test
  void ctrlCWhileItMeasuresIsALineToo() throws IOException, InterruptedException {
    assumeFalse(OtherJvm.ignoresInterrupts(), "what a shell starts in the background ignores it");
    Files.writeString(
        data, "spam\tfree money for you\nham\tlunch at the usual time ?\n".repeat(160));
    Path out = folder.resolve("measured");
    String[] command = {
      "adapt",
      "--only",
      "adapter",
      "--epochs",
      "1",
      "--light-steps",
      "0",
      "--batch",
      "32",
      "--data",
      data.toString(),
      "--out",
      out.toString()
    };
    CommandProcess process = CommandProcess.start(folder.resolve("output"), command);
    process.await(() -> Files.exists(out.resolve("adapter.safetensors")));
    process.interrupt(out.resolve("checkpoints"));
    assertThat(out.resolve("result.json")).doesNotExist();

    CommandRun resumed =
        CommandRun.of(
            Stream.concat(Stream.of(command), Stream.of("--resume")).toArray(String[]::new));
    assertThat(resumed.exitCode()).as(resumed.err()).isZero();
    assertThat(out.resolve("result.json")).exists();
    assertThat(out.resolve("checkpoints")).doesNotExist();
  }

  private static void assertUsageError(String[] command, String sentence) {
    CommandRun run = CommandRun.of(command);
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(sentence);
  }

  /** So many epochs that it does not end before it is stopped. */
  private String[] command(String out, String... more) {
    List<String> command =
        new ArrayList<>(
            List.of("adapt", "--only", "coda-r3", "--epochs", "200", "--max-tokens", "12"));
    command.addAll(List.of("--bottleneck", "4", "--light-steps", "3", "--batch", "4"));
    command.addAll(List.of("--model", model.toString(), "--data", data.toString()));
    command.addAll(List.of("--out", folder.resolve(out).toString()));
    command.addAll(List.of(more));
    return command.toArray(String[]::new);
  }
}
