package dev.switchyard.bench.kernels;

import dev.switchyard.bench.command.Ratio;
import dev.switchyard.bench.command.TextTable;
import dev.switchyard.bench.kernels.Contest.Turn;
import dev.switchyard.bench.statistics.Interval;
import dev.switchyard.layers.Profile.Part;
import java.util.List;
import java.util.Locale;

/**
 * How long conditional layers took. What {@code --json} prints has these names.
 *
 * @param features of a token
 * @param tokens of a sequence
 * @param sequences of the batch
 * @param precision of the linear layers
 * @param threads of each
 * @param results the dense layer first
 */
public record CodaReport(
    int features, int tokens, int sequences, String precision, int threads, List<Result> results) {
  /** Takes a copy. */
  public CodaReport {
    results = List.copyOf(results);
  }

  /**
   * One layer.
   *
   * @param name what it computes
   * @param millis the time of a forward pass
   * @param routeMillis of it for choosing, gathering, and mixing the branches; in a dense layer for
   *     adding them up
   * @param attentionMillis of it for attention without its linear layers
   */
  public record Result(String name, double millis, double routeMillis, double attentionMillis) {
    static Result of(String name, Turn turn) {
      return new Result(
          name,
          turn.nanos() / 1e6,
          turn.partNanos().get(Part.ROUTE) / 1e6,
          turn.partNanos().get(Part.ATTENTION) / 1e6);
    }
  }

  /**
   * The results as a table for a terminal.
   *
   * @param overFirst how many times as fast as the first each is
   */
  String table(List<Interval> overFirst) {
    TextTable table =
        new TextTable(
            "", "forward ms", "speed", "attention ms", "routing ms", "routing %", "beyond dense %");
    Result dense = results.getFirst();
    for (int i = 0; i < results.size(); i++) {
      Result result = results.get(i);
      table.row(
          result.name(),
          format("%.2f", result.millis()),
          i == 0 ? Ratio.text(1) : Ratio.cell(overFirst.get(i)),
          format("%.2f", result.attentionMillis()),
          format("%.2f", result.routeMillis()),
          format("%.1f", 100 * result.routeMillis() / result.millis()),
          format("%.1f", 100 * (result.routeMillis() - dense.routeMillis()) / result.millis()));
    }
    return table.toString();
  }

  private static String format(String pattern, double value) {
    return String.format(Locale.ROOT, pattern, value);
  }
}
