package dev.switchyard.bench.adapt;

import dev.switchyard.bench.command.TextTable;
import dev.switchyard.bench.statistics.Interval;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What came of a variant.
 *
 * @param variant which one
 * @param quality on the test texts
 * @param newParameters those of adapters and routers over those of the encoder
 * @param float32Rounds texts a second in float32, in each round of measurement
 * @param int8Rounds the same in int8
 */
record Outcome(
    Variant variant,
    Quality quality,
    double newParameters,
    double[] float32Rounds,
    double[] int8Rounds) {
  /** The columns of the table, after the variant's. */
  static final List<String> HEADER =
      List.of(
          "accuracy %",
          "points from dense",
          "macro F1 %",
          "new parameters %",
          "texts/s float32",
          "texts/s int8",
          "speed-up float32",
          "speed-up int8");

  /** What stands in brackets below them. */
  static final String BRACKETS = "In brackets: 95 % intervals.";

  /** The cells below them; speed-ups are over the dense variant. */
  List<String> cells(Outcome dense) {
    return List.of(
        format("%.2f", 100 * quality.accuracy()),
        equals(dense) ? "" : against(dense).map(part -> 100 * part).cell("%+.2f"),
        format("%.2f", 100 * quality.macroF1()),
        format("%.2f", 100 * newParameters),
        format("%.0f", median(float32Rounds)),
        format("%.0f", int8()),
        speedUp(dense, float32Rounds, dense.float32Rounds),
        speedUp(dense, int8Rounds, dense.int8Rounds));
  }

  private String speedUp(Outcome dense, double[] own, double[] ofDense) {
    return equals(dense) ? "" : Interval.ofRatio(own, ofDense).cell("%.2f");
  }

  /** How much more of the test texts it has right than another, as a part of them. */
  Interval against(Outcome other) {
    return Interval.ofAccuracies(quality.right(), other.quality.right(), quality.texts());
  }

  /** Texts a second in int8. */
  double int8() {
    return median(int8Rounds);
  }

  private static double median(double[] rounds) {
    double[] sorted = rounds.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static String format(String pattern, double value) {
    return String.format(Locale.ROOT, pattern, value);
  }

  static TextTable table(List<Outcome> outcomes) {
    TextTable table = new TextTable(row("", HEADER));
    for (Outcome outcome : outcomes) {
      table.row(row(outcome.variant.title(), outcome.cells(outcomes.getFirst())));
    }
    return table;
  }

  private static String[] row(String first, List<String> rest) {
    String[] row = new String[rest.size() + 1];
    row[0] = first;
    for (int i = 0; i < rest.size(); i++) {
      row[i + 1] = rest.get(i);
    }
    return row;
  }

  /** For the file of results. */
  Map<String, Object> asMap(Outcome dense) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("variant", variant.name());
    map.put("accuracy", quality.accuracy());
    map.put("accuracyMinusDense", against(dense));
    map.put("macroF1", quality.macroF1());
    map.put("newParameters", newParameters);
    map.put("textsPerSecondFloat32", median(float32Rounds));
    map.put("textsPerSecondInt8", int8());
    return map;
  }
}
