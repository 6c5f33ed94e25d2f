package dev.switchyard.bench.soak;

import dev.switchyard.bench.command.FolderLock;
import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.command.OutputFolder;
import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Page;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code switchyard soak}: random trainings with faults, checked all along. */
@Command(
    name = "soak",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Trains random small models, one after the other, and checks all that they compute.",
      "",
      "Models, shapes, precisions, backends and numbers of threads are drawn. Each training runs"
          + " beside the same on one thread, which has to give the same bits, and on the reference"
          + " backend. Some have a fault instead: the thread is interrupted, the executor closed,"
          + " an allocation fails, the system gives no executable memory, the disk is full, the"
          + " process is killed; then they have to go on to the bits of a training without it.",
      ""
    },
    footer = {
      "",
      "Written to the output folder: soak.html, a page, and soak.csv, the memory over time.",
      "Exit code 0: all was right. 1: it was not, or memory grew."
    })
public final class SoakCommand implements Callable<Integer> {
  private static final int LOOKS = 120;
  private static final String PAGE = "soak.html";

  @Spec private CommandSpec spec;

  @Option(
      names = "--minutes",
      paramLabel = "N",
      defaultValue = "30",
      description = "How long, at least one case (default: ${DEFAULT-VALUE}).")
  private double minutes;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "What all cases are drawn from (default: another one each time).")
  private Long seed;

  @Option(
      names = "--case",
      paramLabel = "N",
      description = "Run only this case of the seed, to see a failure again.")
  private Long only;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "The most threads of a case (default: one more than processors).")
  private Integer threads;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "switchyard-soak",
      description = "Folder to write to, created if need be (default: ${DEFAULT-VALUE}).")
  private Path out;

  /** Filled in by picocli. */
  public SoakCommand() {}

  @Override
  public Integer call() throws InterruptedException {
    check();
    PrintWriter console = spec.commandLine().getOut();
    try (SoakRun run = new SoakRun()) {
      return only == null ? runAll(run, console) : runOne(run, console);
    }
  }

  private void check() {
    if (!(minutes > 0 && minutes <= 100_000)) {
      throw usageError("--minutes is " + minutes + " (expected more than 0, up to 100000)");
    }
    if (only != null && (only < 0 || seed == null)) {
      throw usageError(
          only < 0 ? "--case is " + only + " (expected 0 or more)" : "--case needs its --seed");
    }
    threads = threads == null ? Runtime.getRuntime().availableProcessors() + 1 : threads;
    try {
      OptionRange.require("--threads", threads, 1_024);
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
    seed = seed == null ? ThreadLocalRandom.current().nextInt(1_000_000) : seed;
  }

  private ParameterException usageError(String sentence) {
    return new ParameterException(spec.commandLine(), sentence);
  }

  private int runOne(SoakRun run, PrintWriter console) throws InterruptedException {
    SoakCase drawn = SoakCase.draw(seed, only, threads);
    console.printf(Locale.ROOT, "case %d: %s%n", only, drawn);
    console.flush();
    run.run(drawn);
    run.failures().forEach(failure -> console.println(failure.sentence()));
    console.println(run.failures().isEmpty() ? "as it should be" : "failed");
    console.flush();
    return exitCode(run.failures().isEmpty());
  }

  private int runAll(SoakRun run, PrintWriter console) throws InterruptedException {
    OutputFolder folder = new OutputFolder(out);
    try (FolderLock _ = folder.lock()) {
      return runAll(run, console, folder);
    }
  }

  private int runAll(SoakRun run, PrintWriter console, OutputFolder folder)
      throws InterruptedException {
    try {
      folder.requireAbsent(PAGE);
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
    MemoryWatch memory = new MemoryWatch();
    double end = run(run, memory, console);
    boolean good = run.failures().isEmpty() && !(memory.canTell() && !memory.isFlat());
    List<String> summary = summary(run, memory, end);
    summary.forEach(console::println);
    Findings findings = SoakPage.of(run, memory, summary.getFirst(), this::again);
    folder.write(PAGE, Page.of(findings, facts()));
    folder.write("soak.csv", String.join("\n", findings.csv()) + "\n");
    console.printf(Locale.ROOT, "Written to %s: soak.html, soak.csv%n", out);
    console.flush();
    return exitCode(good);
  }

  /** Returns the minutes it took. */
  private double run(SoakRun run, MemoryWatch memory, PrintWriter console)
      throws InterruptedException {
    long start = System.nanoTime();
    double now = 0;
    try (ProgressDisplay progress = progress()) {
      int seen = 0;
      double look = 0;
      do {
        run.run(SoakCase.draw(seed, run.cases(), threads));
        for (SoakRun.Failure failure : run.failures().subList(seen, run.failures().size())) {
          console.printf(
              Locale.ROOT, "%s%n  %s%n  %s%n", again(failure), failure.drawn(), failure.sentence());
          console.flush();
        }
        seen = run.failures().size();
        now = (System.nanoTime() - start) / 60e9;
        if (now >= look) {
          memory.look(now);
          look = now + minutes / LOOKS;
        }
        progress.show(
            (int) Math.min(60 * now, 60 * minutes),
            (int) Math.ceil(60 * minutes),
            String.format(Locale.ROOT, "seconds, %,d cases, %d failed", run.cases(), seen));
      } while (now < minutes && !run.isStuck());
    }
    return now;
  }

  private static ProgressDisplay progress() {
    return ProgressDisplay.of("soak", System.err);
  }

  private String again(SoakRun.Failure failure) {
    return String.format(
        Locale.ROOT,
        "switchyard soak --seed %d --threads %d --case %d",
        seed,
        threads,
        failure.drawn().number());
  }

  private List<String> summary(SoakRun run, MemoryWatch memory, double end) {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT,
            "%,d cases of %,d steps in %s with seed %d: %d failed",
            run.cases(),
            run.steps(),
            ProgressDisplay.clock(60 * end),
            seed,
            run.failures().size()));
    lines.add(
        "faults: "
            + run.counts().get("fault").entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue().cases())
                .collect(Collectors.joining(", ")));
    lines.addAll(memory.summary());
    return lines;
  }

  private Map<String, String> facts() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("machine", MachineInfo.ofThisMachine().inOneLine());
    facts.put("backends", String.join(", ", SoakCase.backends()));
    facts.put("threads", "up to " + threads);
    facts.put("seed", Long.toString(seed));
    facts.put("date", LocalDate.now(ZoneId.systemDefault()).toString());
    return facts;
  }

  private static int exitCode(boolean good) {
    return good ? ExitCode.OK : ExitCode.SOFTWARE;
  }
}
