package dev.switchyard.bench.report;

import dev.switchyard.bench.page.Figure;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.LineChart;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * From how many rows on SwitchBack is faster than a step in floats, and what its parts take; as in
 * the figure on speed of Wortsman et al. 2023.
 */
final class SweepSection {
  private static final String OURS = "SWITCHBACK";
  private static final List<String> PARTS = List.of("quantize", "multiply", "weightGradient");

  private final SuiteResults results;

  /** The steps measured, by features and then by rows. */
  private final TreeMap<Integer, TreeMap<Integer, Measurement>> steps = new TreeMap<>();

  SweepSection(SuiteResults results) {
    this.results = results;
    for (Measurement step : results.measurements()) {
      if (step.contestant().equals(OURS)) {
        String[] sizes = step.shape().split("x", -1);
        steps
            .computeIfAbsent(Integer.valueOf(sizes[1]), _ -> new TreeMap<>())
            .put(Integer.valueOf(sizes[0]), step);
      }
    }
  }

  /** The break-even rows and the parts; none where SwitchBack was not measured. */
  List<Section> sections() {
    return steps.isEmpty() ? List.of() : List.of(breakEven(), parts());
  }

  private Section breakEven() {
    List<Figure> figures = new ArrayList<>();
    List<String> header = new ArrayList<>(List.of("features"));
    List<List<String>> rows = new ArrayList<>();
    steps.keySet().forEach(features -> rows.add(new ArrayList<>(List.of("" + features))));
    for (String type : List.of("BFLOAT16", "FLOAT32")) {
      if (results.measurements().stream().anyMatch(isIn(type))) {
        LineChart chart =
            new LineChart("Speed of SwitchBack over the fastest step in " + type, "rows", "speed")
                .logarithmic(true, false)
                .level(1);
        header.add("faster than " + type);
        int row = 0;
        for (TreeMap<Integer, Measurement> ofWidth : steps.values()) {
          double[] xs = ofWidth.keySet().stream().mapToDouble(Integer::doubleValue).toArray();
          double[] ys = ofWidth.values().stream().mapToDouble(own -> speed(own, type)).toArray();
          chart.line(rows.get(row).getFirst() + " features", xs, ys);
          rows.get(row++).add(breakEven(xs, ys));
        }
        figures.add(chart);
      }
    }
    return new Section(
        "From how many rows on",
        "Each is held against the fastest step in that type, Switchyard's own included. Above 1"
            + " SwitchBack is faster; between the rows measured, its speed is interpolated."
            + " Medians, without an interval.",
        figures,
        new Table(header, rows));
  }

  private static Predicate<Measurement> isIn(String type) {
    return step -> step.name().type().equals(type);
  }

  private double speed(Measurement own, String type) {
    return results
        .fastest(own.shape(), isIn(type))
        .map(rival -> own.speedOver(rival).median())
        .orElse(Double.NaN);
  }

  /** For people: where a speed rises above 1 to stay there. */
  static String breakEven(double[] rows, double[] speeds) {
    OptionalDouble at = OptionalDouble.empty();
    for (int i = rows.length - 1; i >= 0 && !(speeds[i] < 1); i--) {
      at = OptionalDouble.of(rows[i]);
      if (i > 0 && speeds[i - 1] < 1) {
        double part = (1 - speeds[i - 1]) / (speeds[i] - speeds[i - 1]);
        at = OptionalDouble.of(rows[i - 1] * Math.pow(rows[i] / rows[i - 1], part));
      }
    }
    if (at.isEmpty()) {
      return String.format(Locale.ROOT, "not up to %.0f rows", rows[rows.length - 1]);
    }
    return at.getAsDouble() == rows[0]
        ? String.format(Locale.ROOT, "at all rows from %.0f", rows[0])
        : String.format(Locale.ROOT, "from about %.0f rows", at.getAsDouble());
  }

  private Section parts() {
    LineChart chart =
        new LineChart("Part of a SwitchBack step that quantizing takes", "rows", "%")
            .logarithmic(true, false);
    List<List<String>> rows = new ArrayList<>();
    steps.forEach(
        (features, ofWidth) -> {
          chart.line(
              features + " features",
              ofWidth.keySet().stream().mapToDouble(Integer::doubleValue).toArray(),
              ofWidth.values().stream().mapToDouble(step -> 100 * share(step, 0)).toArray());
          ofWidth.forEach((rowCount, step) -> rows.add(row(step)));
        });
    return new Section(
        "Parts of a SwitchBack step",
        "What quantizing, the int8 products and the weight gradient take of the whole step.",
        List.of(chart),
        new Table(
            List.of("rows x features", "step", "quantize", "int8 multiply", "weight gradient"),
            rows));
  }

  private static List<String> row(Measurement step) {
    List<String> cells = new ArrayList<>(List.of(step.shape(), step.text()));
    for (int i = 0; i < PARTS.size(); i++) {
      cells.add(String.format(Locale.ROOT, "%.1f %%", 100 * share(step, i)));
    }
    return cells;
  }

  /** What a part takes of a step, from 0 to 1; parts are counted in nanoseconds. */
  private static double share(Measurement step, int part) {
    double count = step.parts().getOrDefault("steps", Double.NaN);
    double nanos = step.parts().getOrDefault(PARTS.get(part), Double.NaN) / count;
    return nanos / (1e6 * step.value().median());
  }
}
