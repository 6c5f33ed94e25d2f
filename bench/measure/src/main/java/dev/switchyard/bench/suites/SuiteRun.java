package dev.switchyard.bench.suites;

import dev.switchyard.bench.command.OutputFolder;
import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.data.Reason;
import dev.switchyard.bench.report.Suite;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Measures a suite: each contestant at each shape in a JVM of its own. All contestants of a shape
 * come one after the other and all of it again in each round, so that what else happens on the
 * machine meets all alike. What was measured is on disk after each shape.
 */
final class SuiteRun {
  /** The cause of a failure is a line of this form in what JMH prints. */
  private static final Pattern EXCEPTION = Pattern.compile("^[\\w.$]+(Exception|Error): .*");

  private final Suite suite;
  private final List<String> shapes;
  private final List<String> contestants;
  private final Settings settings;
  private final OutputFolder folder;
  private final List<RunResult> results = new ArrayList<>();
  private final List<String> failures = new ArrayList<>();

  /**
   * How to measure.
   *
   * @param rounds JVMs for each contestant at each shape
   * @param iterations measured in each JVM, after two thirds as many to warm up
   * @param seconds of an iteration
   * @param threads of each contestant
   */
  record Settings(int rounds, int iterations, double seconds, int threads) {
    private int warmUp() {
      return Math.ceilDiv(2 * iterations, 3);
    }

    private TimeValue time() {
      return TimeValue.microseconds(Math.round(seconds * 1e6));
    }
  }

  SuiteRun(
      Suite suite,
      List<String> shapes,
      List<String> contestants,
      Settings settings,
      OutputFolder folder) {
    this.suite = suite;
    this.shapes = List.copyOf(shapes);
    this.contestants = List.copyOf(contestants);
    this.settings = settings;
    this.folder = folder;
  }

  /** How many JVMs it takes. */
  int measurements() {
    return settings.rounds() * shapes.size() * contestants.size();
  }

  /** Measures all, and returns a sentence for each that failed. */
  List<String> run(ProgressDisplay progress) {
    int done = 0;
    for (int round = 0; round < settings.rounds(); round++) {
      for (String shape : shapes) {
        for (String contestant : contestants) {
          String name = shape + " " + contestant;
          progress.show(done, measurements(), name);
          measure(shape, contestant);
          done++;
        }
        save();
      }
    }
    progress.show(done, measurements(), "done");
    return failures;
  }

  private void measure(String shape, String contestant) {
    try {
      Path log = Files.createTempFile("switchyard-bench", ".log");
      try {
        results.addAll(new Runner(options(shape, contestant, log)).run());
      } catch (RunnerException e) {
        failures.add(
            String.format(
                Locale.ROOT, "%s %s %s: %s", suite.key(), shape, contestant, cause(log, e)));
      } finally {
        Files.delete(log);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("JMH's log cannot be kept: " + Reason.of(e), e);
    }
  }

  private Options options(String shape, String contestant, Path log) {
    return new OptionsBuilder()
        .include("^" + Pattern.quote(new SuiteBenchmark(suite).method()) + "$")
        .param("shape", shape)
        .param("contestant", contestant)
        .param("threads", Integer.toString(settings.threads()))
        .forks(1)
        .warmupIterations(settings.warmUp())
        .warmupTime(settings.time())
        .measurementIterations(settings.iterations())
        .measurementTime(settings.time())
        .shouldFailOnError(true)
        .verbosity(VerboseMode.NORMAL)
        .output(log.toString())
        .build();
  }

  /** What went wrong in the other JVM, where JMH only says that something did. */
  private static String cause(Path log, RunnerException error) throws IOException {
    return Files.readAllLines(log).stream()
        .filter(EXCEPTION.asMatchPredicate())
        .findFirst()
        .orElse(String.valueOf(error.getMessage()));
  }

  private void save() {
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    try (PrintStream out = new PrintStream(json, false, StandardCharsets.UTF_8)) {
      ResultFormatFactory.getInstance(ResultFormatType.JSON, out).writeOut(results);
    }
    folder.write(suite.fileName(), json.toString(StandardCharsets.UTF_8));
  }
}
