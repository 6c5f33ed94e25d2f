package dev.switchyard.bench.train;

import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.layers.Precision;
import java.io.Console;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code switchyard train}: trains once for each precision and shows the outcomes side by side. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Trains a small vision transformer on images of clothing (Fashion-MNIST), once for each"
          + " precision, from the same seed and in the same order of batches, and shows the"
          + " outcomes side by side.",
      ""
    },
    footer = {
      "",
      "Written to the output folder:",
      "  result.json  accuracy, loss and times, with machine and options",
      "  curves.csv   the loss of each step",
      "  curves.svg   the loss curves as a picture"
    })
public final class TrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--precision",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "FLOAT32,SWITCHBACK",
      description = {
        "Precisions to train in, separated by commas (default: ${DEFAULT-VALUE}).",
        "Any of ${COMPLETION-CANDIDATES}."
      })
  private List<Precision> precisions;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "5",
      description = "Passes over the training images (default: ${DEFAULT-VALUE}).")
  private int epochs;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "100",
      description = "Images a step (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--width",
      paramLabel = "N",
      defaultValue = "192",
      description = "Features of a token (default: ${DEFAULT-VALUE}).")
  private int width;

  @Option(
      names = "--depth",
      paramLabel = "N",
      defaultValue = "4",
      description = "Transformer blocks (default: ${DEFAULT-VALUE}).")
  private int depth;

  @Option(
      names = "--heads",
      paramLabel = "N",
      defaultValue = "3",
      description =
          "Attention heads of a block; they divide the width (default: ${DEFAULT-VALUE}).")
  private int heads;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute (default: the processors of this machine).")
  private Integer threads;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "What weights and order of batches are drawn from; equal seeds repeat a run"
              + " (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Folder with the four Fashion-MNIST files, .gz or not (default: the 12,000 training and"
              + " 2,000 test images that come with this program).")
  private Path data;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "switchyard-train",
      description = "Folder to write to, created if need be (default: ${DEFAULT-VALUE}).")
  private Path out;

  /** Filled in by picocli. */
  public TrainCommand() {}

  @Override
  public Integer call() {
    TrainOptions options = options();
    requireFolder(out);
    FashionMnist images = data == null ? FashionMnist.shipped() : FashionMnist.load(data);
    if (options.batch() > images.training().count()) {
      throw usageError(
          String.format(
              Locale.ROOT,
              "--batch is %d but there are %d training images (expected no more than these)",
              options.batch(),
              images.training().count()));
    }
    // Now: after minutes of training is no time to learn that there is nowhere to write to.
    ResultWriter writer = new ResultWriter(out);
    writer.createFolder();

    MachineInfo machine = MachineInfo.ofThisMachine();
    VisionTraining training = new VisionTraining(options, images);
    PrintWriter console = spec.commandLine().getOut();
    console.printf(
        Locale.ROOT,
        "Training on %,d images, testing on %,d.%n%s%nBackend: %s%n%n",
        images.training().count(),
        images.test().count(),
        machine.inOneLine(),
        training.backend());
    console.flush();

    List<TrainingResult> runs = new ArrayList<>();
    for (Precision precision : options.precisions()) {
      try (TrainingProgress progress = progress(precision)) {
        runs.add(training.run(precision, progress));
      }
    }
    console.printf(Locale.ROOT, "%n%s%n", ResultTable.of(runs));
    console.flush();

    Map<String, Object> reported = options.asMap();
    reported.put("data", data == null ? "shipped" : data.toString());
    List<String> files =
        writer.write(new Report(runs, machine, training.backend(), options.seed(), reported));
    console.printf(Locale.ROOT, "Written to %s: %s%n", out, String.join(", ", files));
    if (!files.contains("curves.svg")) {
      console.println(
          "The picture curves.svg was left out: Java found no font on this machine"
              + " (expected fontconfig and any font, such as DejaVu).");
    }
    console.flush();
    return 0;
  }

  private TrainOptions options() {
    try {
      int processors = Runtime.getRuntime().availableProcessors();
      return new TrainOptions(
          precisions,
          epochs,
          batch,
          width,
          depth,
          heads,
          threads == null ? processors : threads,
          seed);
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
  }

  private void requireFolder(Path folder) {
    for (Path path = folder.toAbsolutePath(); path != null; path = path.getParent()) {
      if (Files.exists(path) && !Files.isDirectory(path)) {
        throw usageError(
            String.format(
                Locale.ROOT, "--out is %s but %s is a file (expected a folder)", folder, path));
      }
    }
    if (Files.exists(folder) && !Files.isWritable(folder)) {
      throw usageError(
          String.format(Locale.ROOT, "--out is %s, which cannot be written to", folder));
    }
  }

  private ParameterException usageError(String sentence) {
    return new ParameterException(spec.commandLine(), sentence);
  }

  private static TrainingProgress progress(Precision precision) {
    PrintStream err = System.err;
    // Whether a console exists where there is no terminal differs from JDK to JDK.
    boolean terminal = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    return terminal
        ? TrainingProgress.bar(precision.name(), err)
        : TrainingProgress.lines(precision.name(), err);
  }
}
