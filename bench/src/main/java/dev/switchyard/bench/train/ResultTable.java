package dev.switchyard.bench.train;

import dev.switchyard.bench.statistics.Interval;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Trainings side by side, one column each, as a person wants to read them:
 *
 * <pre>
 *                             FLOAT32          SWITCHBACK
 * final loss                   0.3120              0.3140
 * test accuracy               87.35 %             87.20 %
 *   points more, 95 %               -      -0.86 to +0.57
 * time of a step             182.4 ms             95.1 ms
 *   quantize                        -      3.1 ms   3.3 %
 *   ...
 * images a second               1,402               2,690
 * speed                        1.00 x              1.92 x
 *   95 % interval                   -        1.88 to 1.96
 * </pre>
 */
public final class ResultTable {
  /** Wide enough for {@code "12345.6 ms 99.9 %"} and the longest precision name, 20 letters. */
  private static final int COLUMN = 22;

  private static final String NONE = "-";

  /** How much more test images are right than in the first column. */
  private static final String POINTS = "  points more, 95 %";

  private final List<TimedTraining> runs;
  private final StringBuilder text = new StringBuilder();
  private final int labelWidth;

  private ResultTable(List<TimedTraining> runs, Set<String> parts, String accuracyName) {
    this.runs = runs;
    this.labelWidth =
        Math.max(
            Math.max(POINTS.length(), accuracyName.length()),
            parts.stream().mapToInt(part -> partLabel(part).length()).max().orElse(0));
  }

  /**
   * The table of some trainings, each line ended by a line feed.
   *
   * @param accuracyName what their accuracy is
   */
  public static String of(List<TimedTraining> runs, String accuracyName) {
    Set<String> parts = partsOf(runs);
    ResultTable table = new ResultTable(runs, parts, accuracyName);
    TimedTraining first = runs.getFirst();
    table.row("", TimedTraining::precision);
    table.row("final loss", run -> format("%.4f", run.result().finalLoss()));
    table.row(accuracyName, run -> format("%.2f %%", 100 * run.result().testAccuracy()));
    if (runs.size() > 1) {
      table.row(
          POINTS,
          run ->
              run.equals(first)
                  ? NONE
                  : range(
                      run.result().accuracyOver(first.result()).map(part -> 100 * part), "%+.2f"));
    }
    table.row("time of a step", run -> format("%.1f ms", run.times().stepMillis()));
    for (String part : parts) {
      table.row(partLabel(part), run -> share(run, part));
    }
    table.row("images a second", run -> format("%,.0f", run.imagesPerSecond()));
    if (runs.size() > 1) {
      table.row("speed", run -> format("%.2f x", run.times().speedOver(first.times()).estimate()));
      table.row(
          "  95 % interval",
          run -> run.equals(first) ? NONE : range(run.times().speedOver(first.times()), "%.2f"));
    }
    return table.text.toString();
  }

  /** Every part that some run names, in the order met, but what is left over always at the end. */
  private static Set<String> partsOf(List<TimedTraining> runs) {
    Set<String> parts = new LinkedHashSet<>();
    for (TimedTraining run : runs) {
      parts.addAll(run.times().partsMillis().keySet());
    }
    if (parts.remove("rest")) {
      parts.add("rest");
    }
    return parts;
  }

  private static String share(TimedTraining run, String part) {
    Map<String, Double> parts = run.times().partsMillis();
    Double millis = parts.get(part);
    if (millis == null || millis == 0) {
      return NONE;
    }
    return format("%.1f ms ", millis) + format("%5.1f %%", 100 * millis / run.times().stepMillis());
  }

  /** {@code int8Multiply} becomes {@code " int8 multiply"}. */
  private static String partLabel(String part) {
    return "  " + part.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
  }

  private void row(String label, Function<TimedTraining, String> cell) {
    text.append(label).append(" ".repeat(labelWidth - label.length()));
    for (TimedTraining run : runs) {
      String value = cell.apply(run);
      text.append(" ".repeat(Math.max(1, COLUMN - value.length()))).append(value);
    }
    text.append('\n');
  }

  private static String range(Interval interval, String pattern) {
    return format(pattern, interval.lower()) + " to " + format(pattern, interval.upper());
  }

  private static String format(String pattern, double value) {
    return String.format(Locale.ROOT, pattern, value);
  }
}
