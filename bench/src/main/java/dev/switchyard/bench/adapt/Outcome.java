package dev.switchyard.bench.adapt;

import dev.switchyard.bench.command.TextTable;
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
 * @param float32 texts a second in float32
 * @param int8 texts a second in int8
 */
record Outcome(
    Variant variant, Quality quality, double newParameters, double float32, double int8) {
  /** The columns of the table, after the variant's. */
  static final List<String> HEADER =
      List.of(
          "accuracy %",
          "macro F1 %",
          "new parameters %",
          "texts/s float32",
          "texts/s int8",
          "speed-up float32",
          "speed-up int8");

  /** The cells below them; speed-ups are over the dense variant. */
  List<String> cells(Outcome dense) {
    return List.of(
        format("%.2f", 100 * quality.accuracy()),
        format("%.2f", 100 * quality.macroF1()),
        format("%.2f", 100 * newParameters),
        format("%.0f", float32),
        format("%.0f", int8),
        format("%.2f", float32 / dense.float32),
        format("%.2f", int8 / dense.int8));
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

  Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("variant", variant.name());
    map.put("accuracy", quality.accuracy());
    map.put("macroF1", quality.macroF1());
    map.put("newParameters", newParameters);
    map.put("textsPerSecondFloat32", float32);
    map.put("textsPerSecondInt8", int8);
    return map;
  }
}
