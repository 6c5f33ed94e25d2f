package dev.switchyard.bench.kernels;

import dev.switchyard.bench.command.Json;
import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.bench.peers.Peers;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** What {@code matmul}, {@code step} and {@code coda} have in common. */
final class MeasuringOptions {
  /** 512 MiB as 32-bit floats: far below the largest Java array. */
  private static final int MOST_ELEMENTS = 1 << 27;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "1",
      description = "Threads of each contestant (default: ${DEFAULT-VALUE}).")
  int threads;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "11",
      description =
          "Rounds, in each of which every contestant has one turn (default: ${DEFAULT-VALUE})."
              + " Warm-up grows with them.")
  int rounds;

  @Option(names = "--json", description = "Print the results as JSON and nothing else.")
  boolean json;

  /** Filled in by picocli. */
  MeasuringOptions() {}

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one makes no sense, in terms of the option
   */
  void check() {
    OptionRange.require("--threads", threads, 1_024);
    OptionRange.require("--rounds", rounds, 1_000);
  }

  /**
   * The peers that can be used.
   *
   * @param err is told which cannot
   */
  List<Peer> peers(PrintWriter err) {
    return Peers.find(
        Peers.FASTEST,
        threads,
        (name, reason) -> {
          err.println(name + " is left out: " + reason);
          err.flush();
        });
  }

  /**
   * Prints results: as JSON, or as a table below what was measured and where.
   *
   * @param report what JSON is made of
   * @param title what was measured, such as {@code 3 rows}
   */
  void print(PrintWriter out, Object report, String title, String table) {
    if (json) {
      out.print(Json.of(report));
    } else {
      out.printf(
          Locale.ROOT,
          "%s, %d thread%s%n%s%n%n%sIn brackets: 95 %% intervals.%n",
          title,
          threads,
          threads == 1 ? "" : "s",
          MachineInfo.ofThisMachine().inOneLine(),
          table);
    }
    out.flush();
  }

  /**
   * Checks the two sides of a matrix.
   *
   * @throws IllegalArgumentException if the matrix would be empty or too large
   */
  static void checkMatrix(String rowsOption, int rows, String colsOption, int cols) {
    OptionRange.require(rowsOption, rows, MOST_ELEMENTS);
    OptionRange.require(colsOption, cols, MOST_ELEMENTS);
    if ((long) rows * cols > MOST_ELEMENTS) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s is %d and %s is %d, a matrix of %d elements (expected at most %d)",
              rowsOption,
              rows,
              colsOption,
              cols,
              (long) rows * cols,
              MOST_ELEMENTS));
    }
  }

  /**
   * Checks that the heap is large enough.
   *
   * @throws IllegalArgumentException if not
   */
  static void checkMemory(double neededBytes) {
    double heap = Runtime.getRuntime().maxMemory();
    if (neededBytes > heap) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "these sizes need about %.1f GiB of memory, but the JVM may use %.1f GiB (set"
                  + " SWITCHYARD_JAVA_OPTS=-Xmx%.0fg, or choose smaller ones)",
              neededBytes / (1 << 30),
              heap / (1 << 30),
              Math.ceil(neededBytes / (1 << 30))));
    }
  }
}
