package dev.switchyard.bench.report;

import dev.switchyard.bench.command.FolderLock;
import dev.switchyard.bench.command.OutputFolder;
import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Page;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code switchyard report}: a page about all results of a folder. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Makes a page of all results in a folder: those of switchyard bench, and those of switchyard"
          + " train in it or in folders inside.",
      ""
    },
    footer = {
      "",
      "Written to the output folder: report.html, a page that needs no other file, and report.csv,"
          + " all medians and quartiles."
    })
public final class ReportCommand implements Callable<Integer> {
  private static final String HTML = "report.html";
  private static final String CSV = "report.csv";

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "FOLDER",
      arity = "0..1",
      defaultValue = "switchyard-results",
      description = "Folder with results (default: ${DEFAULT-VALUE}).")
  private Path folder;

  @Option(
      names = "--against",
      paramLabel = "OTHER",
      description =
          "Folder with earlier results: tells what became slower or faster since, and of what that"
              + " cannot be told.")
  private Path against;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder to write to, created if need be (default: FOLDER).")
  private Path out;

  /** Filled in by picocli. */
  public ReportCommand() {}

  @Override
  public Integer call() {
    PrintWriter console = spec.commandLine().getOut();
    ResultFolder results = ResultFolder.read(folder);
    Optional<Comparison> comparison =
        Optional.ofNullable(against)
            .map(earlier -> new Comparison(results, ResultFolder.read(earlier)));
    OutputFolder target = new OutputFolder(out == null ? folder : out);
    Findings findings = findings(results, comparison);
    try (FolderLock _ = target.lock()) {
      target.write(HTML, Page.of(findings, facts(results)));
      target.write(CSV, String.join("\n", findings.csv()) + "\n");
    }
    comparison.ifPresent(
        found -> {
          console.println(found.summary());
          found.slower().forEach(line -> console.println("  " + line));
        });
    console.printf(Locale.ROOT, "Written to %s: %s, %s%n", target.path(), HTML, CSV);
    console.flush();
    return 0;
  }

  private static Findings findings(ResultFolder results, Optional<Comparison> comparison) {
    List<Section> sections = new ArrayList<>();
    comparison.ifPresent(found -> sections.add(found.section()));
    results.trainings().forEach(trainings -> sections.add(TrainingSection.of(trainings)));
    for (SuiteResults suite : results.suites()) {
      sections.add(new SuiteSection(suite).section());
      if (suite.suite() == Suite.MULTIPLY) {
        results.roofs().ifPresent(roofs -> sections.add(new Roofline(suite, roofs).section()));
      }
      if (suite.suite() == Suite.SWEEP) {
        sections.addAll(new SweepSection(suite).sections());
      }
    }
    return new Findings(
        "Switchyard, measured",
        results.trainings().stream()
                .findFirst()
                .map(trainings -> TrainingSection.finding(trainings.runs()) + " ")
                .orElse("")
            + "Bars are medians; the thin lines on them reach from the lower to the upper quartile"
            + " of all iterations. Each contestant ran at each shape in a JVM of its own, and what"
            + " it computed was checked before it was timed.",
        List.of(),
        sections,
        csv(results));
  }

  private static Map<String, String> facts(ResultFolder results) {
    Map<String, String> facts = new LinkedHashMap<>();
    if (results.roofs().isPresent()) {
      Roofs roofs = results.roofs().get();
      facts.put("machine", roofs.machine().inOneLine());
      facts.put("backend", roofs.backend());
      facts.put("peers", String.join(", ", roofs.peers().values()));
    }
    facts.put("folder", String.valueOf(results.path().toAbsolutePath().normalize().getFileName()));
    return facts;
  }

  private static List<String> csv(ResultFolder results) {
    List<String> lines = new ArrayList<>();
    lines.add("suite,shape,contestant,threads,unit,lower,median,upper");
    for (SuiteResults suite : results.suites()) {
      for (Measurement m : suite.measurements()) {
        lines.add(
            String.format(
                Locale.ROOT,
                "%s,%s,\"%s\",%d,%s,%s,%s,%s",
                suite.suite().key(),
                m.shape(),
                m.contestant(),
                m.threads(),
                m.unit(),
                m.value().lower(),
                m.value().median(),
                m.value().upper()));
      }
    }
    return lines;
  }
}
