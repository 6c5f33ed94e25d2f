package dev.switchyard.bench.soak;

import dev.switchyard.kernels.parallel.Parallel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Runs cases, and counts. */
final class SoakRun implements AutoCloseable {
  /** A case takes seconds: one that takes so long does not end. */
  private static final Duration LIMIT = Duration.ofMinutes(10);

  /**
   * A case that went wrong.
   *
   * @param drawn the case
   * @param sentence what was found
   */
  record Failure(SoakCase drawn, String sentence) {}

  /** How many cases, and how many of them failed. */
  record Count(int cases, int failures) {
    Count plus(Count other) {
      return new Count(cases + other.cases, failures + other.failures);
    }
  }

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
  private final List<Failure> failures = new ArrayList<>();
  private final Map<String, Map<String, Count>> counts = new TreeMap<>();
  private int cases;
  private long steps;
  private boolean stuck;

  /** Runs a case to its end, or for as long as none takes. */
  void run(SoakCase drawn) throws InterruptedException {
    String wrong = outcome(drawn);
    if (wrong != null) {
      failures.add(new Failure(drawn, wrong));
    }
    cases++;
    steps += drawn.steps();
    Count count = new Count(1, wrong == null ? 0 : 1);
    count("model", drawn.kind().name().toLowerCase(Locale.ROOT), count);
    count("precision", drawn.precision().name(), count);
    count("backend", drawn.backend(), count);
    count("threads", Integer.toString(drawn.threads()), count);
    count("fault", drawn.fault().toString(), count);
  }

  private void count(String what, String value, Count count) {
    counts.computeIfAbsent(what, _ -> new TreeMap<>()).merge(value, count, Count::plus);
  }

  /** What is wrong, null for nothing. */
  private String outcome(SoakCase drawn) throws InterruptedException {
    Future<?> running =
        thread.submit(
            () -> {
              check(drawn);
              return null;
            });
    try {
      running.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
      return null;
    } catch (TimeoutException e) {
      stuck = true;
      return "did not end within " + LIMIT.toMinutes() + " minutes";
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      return cause instanceof WrongResult ? cause.getMessage() : trace(cause);
    }
  }

  private static String trace(Throwable thrown) {
    return Stream.concat(
            Stream.of("threw " + thrown),
            Arrays.stream(thrown.getStackTrace()).limit(6).map(at -> "at " + at))
        .collect(Collectors.joining(" "));
  }

  private static void check(SoakCase drawn) throws WrongResult, IOException, InterruptedException {
    if (drawn.fault() == Fault.NONE) {
      new ReferenceCheck(drawn, drawn.kernels(Parallel.ofThreads(drawn.threads()))).run();
      return;
    }
    Path folder = Files.createTempDirectory("switchyard-soak-");
    try {
      if (drawn.fault().isInProcessOfItsOwn()) {
        SoakProcess.run(drawn, folder);
      } else {
        new FaultyTraining(drawn, folder).run();
      }
    } finally {
      delete(folder);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Whether a case did not end: there is no thread for others any more. */
  boolean isStuck() {
    return stuck;
  }

  int cases() {
    return cases;
  }

  long steps() {
    return steps;
  }

  List<Failure> failures() {
    return List.copyOf(failures);
  }

  /** By what was drawn and its value. */
  Map<String, Map<String, Count>> counts() {
    return counts;
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
