package dev.switchyard.bench.train;

import dev.switchyard.bench.command.FolderLock;
import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.command.OutputFolder;
import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.measuring.Measuring;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.processes.SharingOptions;
import dev.switchyard.layers.Precision;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
      "",
      "Ctrl-C saves the training, and --resume goes on with it as if nothing had happened.",
      "",
      "Under mpirun, the processes share each batch.",
      ""
    },
    footer = {
      "",
      "Written to the output folder:",
      "  result.json  accuracy, loss and times, with machine and options",
      "  curves.csv   the loss of each step",
      "  curves.svg   the loss curves as a picture",
      "  train.html   what to do, the curves and the numbers, as a page",
      "  checkpoints  all that a training needs to go on, in safetensors files"
    })
public final class TrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--task",
      paramLabel = "NAME",
      defaultValue = "CLASSIFY",
      description = {
        "What to train (default: ${DEFAULT-VALUE}):",
        "CLASSIFY  which of ten kinds of clothing an image shows",
        "CLIP      images and texts in one space, judged by zero-shot classification"
      })
  private TaskName task;

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
      names = "--peer",
      description =
          "Train the same model in PyTorch too, in float32 and with autocast to bfloat16, from the"
              + " same weights and in the same order of batches; for CLASSIFY with ADAMW.")
  private boolean peer;

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
      names = "--optimizer",
      paramLabel = "NAME",
      defaultValue = "ADAMW",
      description = "Any of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private OptimizerName optimizer;

  @Option(
      names = "--rate",
      paramLabel = "X",
      defaultValue = "0.001",
      description = "The highest learning rate (default: ${DEFAULT-VALUE}).")
  private float rate;

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

  @Option(
      names = "--save-every",
      paramLabel = "N",
      description = "Steps between checkpoints (default: once an epoch).")
  private Integer saveEvery;

  @Option(
      names = "--resume",
      description =
          "Go on with the training whose checkpoints are in the output folder, with the same"
              + " options. Without it, a folder that holds a training is refused.")
  private boolean resume;

  @Mixin private SharingOptions sharing;

  private Processes processes;

  /** Filled in by picocli. */
  public TrainCommand() {}

  @Override
  public Integer call() {
    processes = Processes.join(spec);
    TrainOptions options = options();
    if (processes.isFirst()) {
      requireFolder(out);
    }
    Optional<Measuring> measuring = peer ? Optional.of(requirePeer()) : Optional.empty();
    FashionMnist images = data == null ? FashionMnist.shipped() : FashionMnist.load(data);
    if (options.batch() > images.training().count()) {
      throw usageError(
          String.format(
              Locale.ROOT,
              "--batch is %d but there are %d training images (expected no more than these)",
              options.batch(),
              images.training().count()));
    }
    processes.requireSame(identity(options, images));
    OutputFolder folder = new OutputFolder(out);
    try (FolderLock _ = processes.isFirst() ? folder.lock() : null) {
      if (processes.isFirst() && !resume) {
        requireAbsent(folder);
      }
      return train(options, images, measuring);
    }
  }

  private void requireAbsent(OutputFolder folder) {
    try {
      folder.requireAbsent(ResultWriter.JSON);
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
  }

  private int train(TrainOptions options, FashionMnist images, Optional<Measuring> measuring) {
    PrintWriter console = console();
    Map<Precision, TrainingRun> runs = runs(options, images);
    Trainer trainer = new Trainer(options, images, processes, options.steps(images));
    processes.warnOfOtherBackends(trainer.backendName(), this::warn);
    console.printf(
        Locale.ROOT,
        "Training on %,d images, testing on %,d.%n%s%nBackend: %s%n%s%n",
        images.training().count(),
        images.test().count(),
        MachineInfo.ofThisMachine().inOneLine(),
        trainer.backend(),
        processes.count() == 1
            ? ""
            : String.format(
                Locale.ROOT, "Processes: %d, %s%n", processes.count(), processes.title()));
    console.flush();

    // Closed when all is said and written: until then the JVM does not stop.
    try (Interruption interruption =
        new Interruption(processes, spec.commandLine().getErr(), checkpoints())) {
      return train(trainer, runs, measuring, interruption, results -> report(results, trainer));
    }
  }

  private int train(
      Trainer trainer,
      Map<Precision, TrainingRun> runs,
      Optional<Measuring> measuring,
      Interruption interruption,
      Consumer<List<TimedTraining>> report) {
    List<TrainingResult> results = new ArrayList<>();
    for (Map.Entry<Precision, TrainingRun> run : runs.entrySet()) {
      Optional<TrainingResult> result;
      boolean ended = run.getValue().result().isPresent(); // has no progress to show
      try (TrainingProgress progress =
          new TrainingProgress(ended ? ProgressDisplay.none() : display(run.getKey().name()))) {
        result = trainer.run(run.getValue(), run.getKey(), progress, interruption);
      }
      if (result.isEmpty()) {
        return interruption.leave(console());
      }
      results.add(result.get());
    }
    for (boolean autocast : measuring.isPresent() ? new boolean[] {false, true} : new boolean[0]) {
      Optional<TrainingResult> result;
      try (TrainingProgress progress =
          new TrainingProgress(display(autocast ? "PyTorch bfloat16" : "PyTorch float32"))) {
        result = trainer.runTorch(measuring.get(), autocast, progress, interruption);
      }
      if (result.isEmpty()) {
        return interruption.leave(console()); // those before are saved, this one begins anew
      }
      results.add(result.get());
    }
    Optional<List<StepTimes>> times;
    try (ProgressDisplay progress = display("timing")) {
      times = trainer.times(Trainer.STEPS_OF_A_TURN, progress, interruption);
    }
    if (times.isEmpty()) {
      return interruption.leave(console());
    }
    trainer.close();
    List<TimedTraining> timed = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      timed.add(new TimedTraining(results.get(i), times.get().get(i), trainer.options().batch()));
    }
    report.accept(timed);
    return 0;
  }

  private void warn(String warning) {
    PrintWriter err = processes.console(spec.commandLine().getErr());
    err.println("switchyard train: " + warning);
    err.flush();
  }

  private PrintWriter console() {
    return processes.console(spec.commandLine().getOut());
  }

  private void report(List<TimedTraining> results, Trainer trainer) {
    if (!processes.isFirst()) {
      return;
    }
    TrainOptions options = trainer.options();
    Map<String, Object> reported = options.asMap();
    reported.put("data", data == null ? "shipped" : data.toString());
    if (processes.count() > 1) {
      reported.put("processes", processes.count());
      reported.put("mpi", processes.title());
      reported.putAll(trainer.exchangeCosts());
    }
    // First, so that a table that cannot be printed costs nothing else.
    List<String> files =
        new ResultWriter(out)
            .write(
                new Report(
                    results,
                    MachineInfo.ofThisMachine(),
                    trainer.backend(),
                    options.seed(),
                    reported));
    PrintWriter console = console();
    console.printf(Locale.ROOT, "%n%s%n", ResultTable.of(results, trainer.accuracyName()));
    console.printf(Locale.ROOT, "Written to %s: %s%n", out, String.join(", ", files));
    console.flush();
  }

  private Path checkpoints() {
    return out.resolve("checkpoints");
  }

  private static Map<String, String> identity(TrainOptions options, FashionMnist images) {
    Map<String, String> identity = options.identity();
    identity.put(
        "data", images.training().fingerprint() + ", tests: " + images.test().fingerprint());
    return identity;
  }

  /** The trainings to run, in their order: from the beginning, or from where they are. */
  private Map<Precision, TrainingRun> runs(TrainOptions options, FashionMnist images) {
    Map<String, String> identity = identity(options, images);
    Map<Precision, TrainingRun> runs = new LinkedHashMap<>();
    for (Precision precision : options.precisions()) {
      runs.put(
          precision,
          new TrainingRun(
              checkpoints(),
              precision.name(),
              identity,
              options.seed(),
              saveEvery == null ? 0 : saveEvery,
              processes,
              this::warn));
    }
    try {
      TrainingRun.prepare(runs.values(), resume);
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
    return runs;
  }

  private TrainOptions options() {
    try {
      int processors = Runtime.getRuntime().availableProcessors();
      if (peer && (task != TaskName.CLASSIFY || optimizer != OptimizerName.ADAMW)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "--peer trains in PyTorch, which is made for CLASSIFY with ADAMW, but --task is %s"
                    + " and --optimizer is %s",
                task,
                optimizer));
      }
      if (peer && processes.count() > 1) {
        throw new IllegalArgumentException("--peer is for one process (expected no mpirun)");
      }
      if (saveEvery != null) {
        OptionRange.require("--save-every", saveEvery, Integer.MAX_VALUE);
      }
      return new TrainOptions(
          task,
          precisions,
          epochs,
          batch,
          width,
          depth,
          heads,
          optimizer,
          rate,
          threads == null ? processors : threads,
          seed,
          sharing.sharing(processes, batch));
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

  private Measuring requirePeer() {
    Measuring measuring =
        Measuring.find()
            .orElseThrow(
                () ->
                    usageError(
                        "--peer needs the module that measures, which is not here: bench/switchyard"
                            + " train --peer fetches it, with PyTorch"));
    try {
      measuring.requirePyTorch();
      return measuring;
    } catch (IllegalStateException e) {
      throw usageError("--peer cannot be used here: " + e.getMessage());
    }
  }

  private ParameterException usageError(String sentence) {
    return new ParameterException(spec.commandLine(), sentence);
  }

  private ProgressDisplay display(String name) {
    return processes.isFirst() ? ProgressDisplay.of(name, System.err) : ProgressDisplay.none();
  }
}
