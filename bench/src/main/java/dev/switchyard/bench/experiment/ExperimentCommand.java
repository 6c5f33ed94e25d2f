package dev.switchyard.bench.experiment;

import dev.switchyard.bench.command.FolderLock;
import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.command.OutputFolder;
import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Page;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.train.Interruption;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.parallel.Parallel;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code switchyard experiment}: runs a named comparison and writes a page about it. */
@Command(
    name = "experiment",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Looks for a finding of the SwitchBack paper (Wortsman et al. 2023) on this machine, and"
          + " writes a page with what was seen. Each takes up to ten minutes on two cores.",
      "",
      "Ctrl-C keeps what is done, and --resume goes on with it as if nothing had happened.",
      ""
    },
    footer = {
      "",
      "Experiments:",
      "  precisions   what each precision costs in accuracy and gains in time",
      "  layerscale   whether zero-initialised layer scale rescues tensor-wise float8",
      "  spikes       whether loss spikes follow a stale second moment, and what helps",
      "  noise        why the weight gradient stays in higher precision",
      "  instability  what the monitors show before and while a training diverges",
      "",
      "Written to the output folder: NAME.html, a page, and NAME.csv, all of its numbers; until"
          + " then, checkpoints/NAME, what is done."
    })
public final class ExperimentCommand implements Callable<Integer> {
  private static final double LONG = 4;

  private static final List<Experiment> EXPERIMENTS =
      List.of(
          new PrecisionsExperiment(),
          new LayerScaleExperiment(),
          new SpikesExperiment(),
          new NoiseExperiment(),
          new InstabilityExperiment());

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "NAME",
      arity = "0..1",
      description = "The experiment, one of those below.")
  private String name;

  @Option(names = "--long", description = "Take four times as many steps.")
  private boolean isLong;

  @Option(
      names = "--scale",
      paramLabel = "X",
      defaultValue = "1",
      description = "Take X times as many steps (default: ${DEFAULT-VALUE}).")
  private double scale;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute (default: the processors of this machine).")
  private Integer threads;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "What all that is random is drawn from (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "switchyard-experiments",
      description = "Folder to write to, created if need be (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Option(
      names = "--resume",
      description =
          "Go on with an experiment that was interrupted, with the same options. Without it, a"
              + " folder that holds the experiment or its page is refused.")
  private boolean resume;

  /** Filled in by picocli. */
  public ExperimentCommand() {}

  @Override
  public Integer call() {
    Experiment experiment = experiment();
    int processors = Runtime.getRuntime().availableProcessors();
    int used = threads == null ? processors : threads;
    if (!(scale > 0 && scale <= 1000)) {
      throw usageError("--scale is " + scale + " (expected more than 0, up to 1000)");
    }
    try {
      OptionRange.require("--threads", used, 1_024);
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
    OutputFolder folder = new OutputFolder(out);
    try (FolderLock _ = folder.lock()) {
      return run(experiment, folder, used);
    }
  }

  private int run(Experiment experiment, OutputFolder folder, int used) {
    KeptParts parts = parts(experiment, folder);
    Kernels kernels = Kernels.create(Parallel.ofThreads(used));
    Map<String, String> facts = facts(kernels, used);
    PrintWriter console = spec.commandLine().getOut();
    console.printf(Locale.ROOT, "%s: %s%n", experiment.name(), experiment.summary());
    console.flush();
    long start = System.nanoTime();
    // Closed when all is said and written: until then the JVM does not stop.
    try (Interruption interruption =
        new Interruption(Processes.alone(), spec.commandLine().getErr(), parts.folder())) {
      Findings findings;
      try (ProgressDisplay progress = progress(experiment)) {
        findings =
            experiment.run(
                new Setting(
                    kernels,
                    used,
                    FashionMnist.shipped(),
                    seed,
                    size(),
                    parts,
                    interruption,
                    progress));
      } catch (Setting.Interrupted e) {
        return interruption.leave(console);
      }
      String time = ProgressDisplay.clock((System.nanoTime() - start) / 1e9);
      facts.put("time", time + (resume ? " after an interruption" : ""));
      folder.write(page(experiment), Page.of(findings, facts));
      folder.write(experiment.name() + ".csv", String.join("\n", findings.csv()) + "\n");
      parts.delete();
      print(experiment, findings);
    }
    return 0;
  }

  private static String page(Experiment experiment) {
    return experiment.name() + ".html";
  }

  private void print(Experiment experiment, Findings findings) {
    PrintWriter console = spec.commandLine().getOut();
    for (Findings.Verdict verdict : findings.verdicts()) {
      console.printf(
          Locale.ROOT,
          "%s %s%n  %s%n",
          verdict.answer().heading(),
          verdict.claim(),
          verdict.criterion());
    }
    console.printf(
        Locale.ROOT, "Written to %s: %s, %s.csv%n", out, page(experiment), experiment.name());
    console.flush();
  }

  private static ProgressDisplay progress(Experiment experiment) {
    return ProgressDisplay.of(experiment.name(), System.err);
  }

  private double size() {
    return scale * (isLong ? LONG : 1);
  }

  /** What an earlier process has left, or nothing. */
  private KeptParts parts(Experiment experiment, OutputFolder folder) {
    KeptParts parts =
        new KeptParts(
            out.resolve("checkpoints").resolve(experiment.name()),
            Map.of(
                "scale",
                Double.toString(size()),
                "seed",
                Long.toString(seed),
                "data",
                FashionMnist.shipped().training().fingerprint()),
            seed,
            warning -> {
              PrintWriter err = spec.commandLine().getErr();
              err.println("switchyard experiment: " + warning);
              err.flush();
            });
    try {
      if (resume) {
        parts.resume();
      } else {
        folder.requireAbsent(page(experiment));
        parts.begin();
      }
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
    return parts;
  }

  private Experiment experiment() {
    String names = String.join(", ", EXPERIMENTS.stream().map(Experiment::name).toList());
    if (name == null) {
      throw usageError("no experiment is named (expected one of " + names + ")");
    }
    return EXPERIMENTS.stream()
        .filter(experiment -> experiment.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                usageError("there is no experiment " + name + " (expected one of " + names + ")"));
  }

  private Map<String, String> facts(Kernels kernels, int used) {
    MachineInfo machine = MachineInfo.ofThisMachine();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("machine", machine.inOneLine());
    facts.put("backend", kernels.backend().reason());
    facts.put("threads", Integer.toString(used));
    facts.put("images", "Fashion-MNIST, 12,000 for training and 2,000 for tests");
    facts.put("seed", Long.toString(seed));
    facts.put("size", "default x " + size());
    facts.put("date", LocalDate.now(ZoneId.systemDefault()).toString());
    return facts;
  }

  private ParameterException usageError(String sentence) {
    return new ParameterException(spec.commandLine(), sentence);
  }
}
