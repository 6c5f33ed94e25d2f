package dev.switchyard.bench.suites;

import dev.switchyard.bench.command.FolderLock;
import dev.switchyard.bench.command.Json;
import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.command.OutputFolder;
import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.bench.peers.Peers;
import dev.switchyard.bench.report.Roofs;
import dev.switchyard.bench.report.Suite;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code switchyard bench}: the JMH suites. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Runs benchmarks of Switchyard and of what a user would take instead, with JMH, each in a JVM"
          + " of its own and checked before it is timed.",
      ""
    },
    footer = {
      "",
      "Suites:",
      "  multiply   products in int8, bfloat16 and float32",
      "  quantize   quantizers, against copies",
      "  step       training step of a linear layer",
      "  sweep      the same over 64 to 32768 rows: where SwitchBack begins to pay",
      "  block      training step of a transformer block",
      "  attention  training step of self-attention",
      "  coda       conditional layers, against the dense one",
      "  encoder    texts that a pretrained encoder reads in a second",
      "  optimizer  optimizers, against a copy",
      "",
      "Written to the output folder: SUITE.json, what JMH measured, and machine.json; switchyard"
          + " report makes a page of them. Nothing else should run meanwhile."
    })
public final class BenchCommand implements Callable<Integer> {
  /** To start a JVM, make operands and check results. */
  private static final double SECONDS_TO_BEGIN = 3;

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "SUITE",
      arity = "0..*",
      description = "One or several of those below (default: all).")
  private List<Suite> suites = List.of(Suite.values());

  @Option(
      names = "--shape",
      paramLabel = "SHAPE",
      description = "Measure this shape instead of the suite's own; may be repeated.")
  private List<String> shapes = List.of();

  @Option(
      names = "--contestant",
      paramLabel = "NAME",
      description = "Only this one, such as SWITCHBACK or \"onednn INT8\"; may be repeated.")
  private List<String> contestants = List.of();

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "2",
      description =
          "Measure all of it N times over (default: ${DEFAULT-VALUE}). Differences between rounds"
              + " are what intervals come from.")
  private int rounds;

  @Option(
      names = "--iterations",
      paramLabel = "N",
      defaultValue = "3",
      description =
          "Measurements in each round, after two thirds as many to warm up (default:"
              + " ${DEFAULT-VALUE}).")
  private int iterations;

  @Option(
      names = "--seconds",
      paramLabel = "X",
      defaultValue = "1",
      description = "Time of a measurement (default: ${DEFAULT-VALUE}).")
  private double seconds;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "1",
      description = "Threads of each contestant (default: ${DEFAULT-VALUE}).")
  private int threads;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "switchyard-results",
      description = "Folder to write to, created if need be (default: ${DEFAULT-VALUE}).")
  private Path out;

  /** Filled in by picocli. */
  public BenchCommand() {}

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    SuiteRun.Settings settings = settings();
    List<Peer> peers =
        Peers.find(
            Peers.names(),
            threads,
            (name, reason) -> {
              err.println(name + " is left out: " + reason);
              err.flush();
            });
    OutputFolder folder = new OutputFolder(out);
    try (FolderLock _ = folder.lock()) {
      return run(peers, settings, folder);
    }
  }

  private int run(List<Peer> peers, SuiteRun.Settings settings, OutputFolder folder) {
    PrintWriter console = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    List<SuiteRun> runs = new ArrayList<>();
    for (Suite suite : suites) {
      runs.add(plan(suite, peers, settings, folder));
    }
    folder.write(Roofs.FILE, Json.of(Roofs.ofThisMachine(Peers.descriptions(peers))));
    double measurements = runs.stream().mapToInt(SuiteRun::measurements).sum();
    double each = SECONDS_TO_BEGIN + seconds * iterations * 5 / 3;
    console.printf(
        Locale.ROOT,
        "%.0f measurements, about %s or, with the largest shapes, more%n",
        measurements,
        ProgressDisplay.clock(measurements * each));
    console.flush();
    List<String> failures = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      try (ProgressDisplay progress = progress(suites.get(i))) {
        failures.addAll(runs.get(i).run(progress));
      }
    }
    failures.forEach(err::println);
    err.flush();
    console.printf(
        Locale.ROOT, "Written to %s; switchyard report %s makes a page of it%n", out, out);
    console.flush();
    return failures.isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
  }

  private static ProgressDisplay progress(Suite suite) {
    return ProgressDisplay.of(suite.key(), System.out);
  }

  private SuiteRun.Settings settings() {
    try {
      OptionRange.require("--rounds", rounds, 1_000);
      OptionRange.require("--iterations", iterations, 1_000);
      OptionRange.require("--threads", threads, 1_024);
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
    if (!(seconds > 0 && seconds <= 3600)) {
      throw usageError("--seconds is " + seconds + " (expected more than 0, up to 3600)");
    }
    return new SuiteRun.Settings(rounds, iterations, seconds, threads);
  }

  private SuiteRun plan(
      Suite suite, List<Peer> peers, SuiteRun.Settings settings, OutputFolder folder) {
    try {
      folder.requireAbsent(suite.fileName());
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
    SuiteBenchmark benchmark = new SuiteBenchmark(suite);
    for (String shape : shapes) {
      if (!benchmark.takes(shape)) {
        throw usageError(
            String.format(
                Locale.ROOT,
                "--shape is \"%s\", which is none for %s (expected one such as %s)",
                shape,
                suite.key(),
                benchmark.shapes().getFirst()));
      }
    }
    List<String> available = benchmark.contestants(peers);
    for (String contestant : contestants) {
      if (!available.contains(contestant)) {
        throw usageError(
            String.format(
                Locale.ROOT,
                "--contestant is \"%s\", which %s does not have here (expected one of %s)",
                contestant,
                suite.key(),
                String.join(", ", available)));
      }
    }
    return new SuiteRun(
        suite,
        shapes.isEmpty() ? benchmark.shapes() : shapes,
        contestants.isEmpty() ? available : contestants,
        settings,
        folder);
  }

  private ParameterException usageError(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
