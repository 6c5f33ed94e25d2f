package dev.switchyard.bench.train;

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
 * time of a step             182.4 ms             95.1 ms
 *   quantize                        -      3.1 ms   3.3 %
 *   ...
 * images a second               1,402               2,690
 * speed                        1.00 x              1.92 x
 * </pre>
 */
public final class ResultTable {
  /** Wide enough for {@code "12345.6 ms 99.9 %"} and the longest precision name, 20 letters. */
  private static final int COLUMN = 22;

  private static final String NONE = "-";

  private final List<TrainingResult> runs;
  private final StringBuilder text = new StringBuilder();
  private final int labelWidth;

  private ResultTable(List<TrainingResult> runs, Set<String> parts, String accuracyName) {
    this.runs = runs;
    this.labelWidth =
        Math.max(
            Math.max("images a second".length(), accuracyName.length()),
            parts.stream().mapToInt(part -> partLabel(part).length()).max().orElse(0));
  }

  /**
   * The table of some trainings, each line ended by a line feed.
   *
   * @param accuracyName what their accuracy is
   */
  public static String of(List<TrainingResult> runs, String accuracyName) {
    Set<String> parts = partsOf(runs);
    ResultTable table = new ResultTable(runs, parts, accuracyName);
    table.row("", TrainingResult::precision);
    table.row("final loss", run -> format("%.4f", run.finalLoss()));
    table.row(accuracyName, run -> format("%.2f %%", 100 * run.testAccuracy()));
    table.row("time of a step", run -> format("%.1f ms", run.stepMillis()));
    for (String part : parts) {
      table.row(partLabel(part), run -> share(run, part));
    }
    table.row("images a second", run -> format("%,.0f", run.imagesPerSecond()));
    if (runs.size() > 1) {
      double first = runs.get(0).imagesPerSecond();
      table.row("speed", run -> format("%.2f x", run.imagesPerSecond() / first));
    }
    return table.text.toString();
  }

  /** Every part that some run names, in the order met, but what is left over always at the end. */
  private static Set<String> partsOf(List<TrainingResult> runs) {
    Set<String> parts = new LinkedHashSet<>();
    for (TrainingResult run : runs) {
      parts.addAll(run.partsMillis().keySet());
    }
    if (parts.remove("rest")) {
      parts.add("rest");
    }
    return parts;
  }

  private static String share(TrainingResult run, String part) {
    Map<String, Double> parts = run.partsMillis();
    Double millis = parts.get(part);
    if (millis == null || millis == 0) {
      return NONE;
    }
    return format("%.1f ms ", millis) + format("%5.1f %%", 100 * millis / run.stepMillis());
  }

  /** {@code int8Multiply} becomes {@code " int8 multiply"}. */
  private static String partLabel(String part) {
    return "  " + part.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
  }

  private void row(String label, Function<TrainingResult, String> cell) {
    text.append(label).append(" ".repeat(labelWidth - label.length()));
    for (TrainingResult run : runs) {
      String value = cell.apply(run);
      text.append(" ".repeat(Math.max(1, COLUMN - value.length()))).append(value);
    }
    text.append('\n');
  }

  private static String format(String pattern, double value) {
    return String.format(Locale.ROOT, pattern, value);
  }
}
