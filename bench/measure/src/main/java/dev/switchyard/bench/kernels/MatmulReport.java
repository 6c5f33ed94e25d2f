package dev.switchyard.bench.kernels;

import dev.switchyard.bench.command.Ratio;
import dev.switchyard.bench.command.TextTable;
import dev.switchyard.bench.kernels.MatmulComparison.Rates;
import dev.switchyard.bench.statistics.Interval;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * How fast each computed one product. What {@code --json} prints has these names.
 *
 * @param type {@code int8}, {@code bf16} or {@code f32}
 * @param m rows of X and Y
 * @param n rows of W, columns of Y
 * @param k columns of X and W
 * @param threads threads of each
 * @param peakGops the measured peak of the dot instruction, on all threads together, or the best of
 *     the rates where no backend knows its instruction; what {@code shareOfPeak} refers to
 * @param results backends first, then peers
 */
public record MatmulReport(
    String type, int m, int n, int k, int threads, double peakGops, List<Result> results) {
  /** Takes copies. */
  public MatmulReport {
    results = List.copyOf(results);
  }

  /** The report on rates that were measured. */
  static MatmulReport of(String type, int m, int n, int k, int threads, Rates rates) {
    double peak = rates.peak().orElseGet(() -> Collections.max(rates.byName().values()));
    List<Result> results = new ArrayList<>();
    rates.byName().forEach((name, rate) -> results.add(new Result(name, rate, rate / peak)));
    return new MatmulReport(type, m, n, k, threads, peak, results);
  }

  /**
   * One backend or peer.
   *
   * @param name such as {@code vector} or {@code onednn}
   * @param gops operations in a nanosecond, a multiply-add counted as two
   * @param shareOfPeak 1 at the peak
   */
  public record Result(String name, double gops, double shareOfPeak) {}

  /**
   * The results as a table for a terminal.
   *
   * @param overFirst how many times as fast as the first each is
   */
  String table(List<Interval> overFirst) {
    TextTable table = new TextTable("", "Gop/s", "of peak", "ratio");
    for (int i = 0; i < results.size(); i++) {
      Result result = results.get(i);
      table.row(
          result.name(),
          format("%.1f", result.gops()),
          format("%.1f %%", 100 * result.shareOfPeak()),
          i == 0 ? Ratio.text(1) : Ratio.cell(overFirst.get(i)));
    }
    return table.toString();
  }

  private static String format(String pattern, double value) {
    return String.format(Locale.ROOT, pattern, value);
  }
}
