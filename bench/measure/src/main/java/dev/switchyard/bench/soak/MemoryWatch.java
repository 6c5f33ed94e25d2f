package dev.switchyard.bench.soak;

import dev.switchyard.bench.page.LineChart;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** What this process holds, looked at now and then: what it is of, and whether it becomes more. */
final class MemoryWatch {
  private static final int FEWEST = 16;
  private static final double MIB = 1 << 20;

  /**
   * What the last quarter of a run may hold above the second, always: a tenth more, and so much for
   * what comes and goes. In the first, classes are loaded and code is compiled. What is held now
   * and then, such as a heap that the JVM will give back, is left out.
   */
  private static final double GROWTH = 1.1;

  /**
   * What is looked at.
   *
   * @param words its name and unit
   * @param value of a look
   * @param slack that it may grow by, whatever its size
   */
  private record Kind(String words, ToDoubleFunction<Sample> value, double slack) {}

  private static final Kind HEAP = new Kind("heap in use, MiB", Sample::heap, 4);
  private static final Kind RESIDENT = new Kind("resident memory, MiB", Sample::resident, 32);
  private static final Kind THREADS = new Kind("threads", Sample::threads, 4);
  private static final Kind FILES = new Kind("open files", Sample::files, 4);
  private static final List<Kind> KINDS = List.of(HEAP, RESIDENT, THREADS, FILES);

  /**
   * A look.
   *
   * @param minutes since the start
   * @param heap in use after a collection, MiB
   * @param resident memory of the process, MiB; NaN where the system does not tell
   * @param threads of the process
   * @param files that it has open; NaN where the system does not tell
   */
  record Sample(double minutes, double heap, double resident, double threads, double files) {}

  private final List<Sample> samples = new ArrayList<>();

  /** Collects garbage, and looks. */
  void look(double minutes) {
    System.gc();
    add(
        new Sample(
            minutes,
            ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / MIB,
            resident(),
            ManagementFactory.getThreadMXBean().getThreadCount(),
            files()));
  }

  void add(Sample sample) {
    samples.add(sample);
  }

  private static double resident() {
    Path status = Path.of("/proc/self/status");
    try (Stream<String> lines = Files.exists(status) ? Files.lines(status) : Stream.empty()) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")) / 1024)
          .findFirst()
          .orElse(Double.NaN);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static double files() {
    String[] open = Path.of("/proc/self/fd").toFile().list();
    return open == null ? Double.NaN : open.length;
  }

  /** Whether there were enough looks to tell. */
  boolean canTell() {
    return samples.size() >= FEWEST;
  }

  /** Whether nothing is held that was not held before. */
  boolean isFlat() {
    return KINDS.stream().noneMatch(this::grows);
  }

  private boolean grows(Kind kind) {
    return lowest(kind, 3) > GROWTH * lowest(kind, 1) + kind.slack; // not where it is NaN
  }

  /** One line for each kind, and one where that does not tell much. */
  List<String> summary() {
    List<String> lines = new ArrayList<>();
    KINDS.stream()
        .filter(kind -> !Double.isNaN(kind.value.applyAsDouble(samples.getFirst())))
        .forEach(kind -> lines.add(summary(kind)));
    if (!canTell()) {
      lines.add("too short to tell whether memory grows");
    }
    return lines;
  }

  private String summary(Kind kind) {
    return String.format(
        Locale.ROOT,
        "%s: at least %.0f in the second quarter of the run, %.0f in the last%s",
        kind.words,
        lowest(kind, 1),
        lowest(kind, 3),
        canTell() && grows(kind) ? " (grows)" : "");
  }

  private double lowest(Kind kind, int quarter) {
    return samples
        .subList(quarter * samples.size() / 4, (quarter + 1) * samples.size() / 4)
        .stream()
        .mapToDouble(kind.value)
        .min()
        .orElse(Double.NaN);
  }

  /** Heap and resident memory over time. */
  LineChart chart() {
    double[] minutes = samples.stream().mapToDouble(Sample::minutes).toArray();
    LineChart chart = new LineChart("Memory of the process", "minutes", "MiB");
    for (Kind kind : List.of(HEAP, RESIDENT)) {
      chart.line(kind.words, minutes, samples.stream().mapToDouble(kind.value).toArray());
    }
    return chart;
  }

  /** All looks, the header first. */
  List<String> csv() {
    List<String> lines = new ArrayList<>();
    lines.add("minutes,heap_mib,resident_mib,threads,files");
    for (Sample s : samples) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%.2f,%.1f,%.1f,%.0f,%.0f",
              s.minutes,
              s.heap,
              s.resident,
              s.threads,
              s.files));
    }
    return lines;
  }
}
