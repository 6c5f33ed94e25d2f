package dev.switchyard.bench.kernels;

import dev.switchyard.bench.command.Ratio;
import dev.switchyard.bench.command.TextTable;
import dev.switchyard.bench.kernels.Contest.Turn;
import dev.switchyard.bench.statistics.Interval;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile.Part;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How long a training step of one linear layer took. What {@code --json} prints has these names.
 *
 * @param rows rows of input and output
 * @param in features of the input
 * @param out features of the output
 * @param threads threads of each
 * @param results ours first, then those of peers
 */
public record StepReport(int rows, int in, int out, int threads, List<Result> results) {
  private static final Map<String, Part> PARTS = new LinkedHashMap<>();
  private static final String REST = "rest";

  static {
    PARTS.put("quantize", Part.QUANTIZE);
    PARTS.put("multiply", Part.MULTIPLY);
    PARTS.put("weightGradient", Part.WEIGHT_GRADIENT);
  }

  /** Takes copies. */
  public StepReport {
    results = List.copyOf(results);
  }

  /**
   * One way to compute the step.
   *
   * @param name of the backend or the peer
   * @param precision the name of a {@link Precision}
   * @param millis the time of a step
   * @param partsMillis its parts: {@code quantize} (to int8, or to bfloat16 where that is a pass of
   *     its own), {@code multiply} (output and input gradient), {@code weightGradient} and {@code
   *     rest}
   */
  public record Result(
      String name, String precision, double millis, Map<String, Double> partsMillis) {
    static Result of(String name, Precision precision, Turn turn) {
      Map<String, Double> parts = new LinkedHashMap<>();
      PARTS.forEach((key, part) -> parts.put(key, turn.partNanos().get(part) / 1e6));
      parts.put(REST, turn.restNanos() / 1e6);
      return new Result(name, precision.name(), turn.nanos() / 1e6, parts);
    }
  }

  /**
   * The results as a table for a terminal.
   *
   * @param overFirst how many times as fast as the first each is
   */
  String table(List<Interval> overFirst) {
    TextTable table =
        new TextTable("", "step ms", "quantize", "multiply", "weight gradient", "rest", "speed");
    for (int i = 0; i < results.size(); i++) {
      Result result = results.get(i);
      Map<String, Double> parts = result.partsMillis();
      table.row(
          result.name() + " " + result.precision(),
          format("%.2f", result.millis()),
          format("%.2f", parts.get("quantize")),
          format("%.2f", parts.get("multiply")),
          format("%.2f", parts.get("weightGradient")),
          format("%.2f", parts.get(REST)),
          i == 0 ? Ratio.text(1) : Ratio.cell(overFirst.get(i)));
    }
    return table.toString();
  }

  private static String format(String pattern, double value) {
    return String.format(Locale.ROOT, pattern, value);
  }
}
