package dev.switchyard.bench.report;

import dev.switchyard.bench.command.Ratio;
import dev.switchyard.bench.page.BarChart;
import dev.switchyard.bench.page.BarChart.Bar;
import dev.switchyard.bench.page.Figure;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.suites.Suite;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The section of a suite: all medians as a table, and bars. */
final class SuiteSection {
  private final SuiteResults results;

  SuiteSection(SuiteResults results) {
    this.results = results;
  }

  Section section() {
    Suite suite = results.suite();
    // Of the many shapes of a sweep, curves show more than bars.
    List<Figure> figures = suite == Suite.SWEEP ? List.of() : List.of(bars());
    int threads = results.measurements().getFirst().threads();
    String text =
        String.format(
            Locale.ROOT,
            "%s %s each, medians. %s",
            suite.about(),
            threads == 1 ? "One thread" : threads + " threads",
            summary());
    return new Section(suite.title(), text, figures, table());
  }

  /** How each of ours compares with its rival, over all shapes. */
  private String summary() {
    List<String> clauses = new ArrayList<>();
    for (String contestant : results.contestants()) {
      double logarithms = 0;
      int count = 0;
      List<String> rivals = new ArrayList<>();
      for (String shape : results.shapes()) {
        Measurement own = results.find(shape, contestant).filter(SuiteResults::isOurs).orElse(null);
        Measurement rival = own == null ? null : results.rivalOf(own).orElse(null);
        if (rival != null) {
          logarithms += Math.log(own.speedOver(rival).median());
          count++;
          if (!rivals.contains(rival.contestant())) {
            rivals.add(rival.contestant());
          }
        }
      }
      if (count > 0) {
        clauses.add(
            String.format(
                Locale.ROOT,
                "%s is %s times as fast as %s",
                contestant,
                Ratio.text(Math.exp(logarithms / count)),
                String.join(" or ", rivals)));
      }
    }
    return clauses.isEmpty()
        ? ""
        : "In the geometric mean over the shapes, each against the fastest at each shape: "
            + String.join("; ", clauses)
            + ".";
  }

  private Table table() {
    List<String> header = new ArrayList<>(List.of("shape"));
    header.addAll(results.contestants());
    return new Table(
        header,
        results.shapes().stream()
            .map(
                shape -> {
                  List<String> row = new ArrayList<>(List.of(shape));
                  results
                      .contestants()
                      .forEach(
                          name ->
                              row.add(results.find(shape, name).map(Measurement::text).orElse("")));
                  return row;
                })
            .toList());
  }

  private BarChart bars() {
    boolean products = results.suite() == Suite.MULTIPLY;
    BarChart chart =
        new BarChart(
            products
                ? "Gop/s, a multiply-add counted as two"
                : "Speed, as multiples of " + yardsticks(),
            products ? gops -> String.format(Locale.ROOT, "%.0f", gops) : Ratio::text,
            results.contestants());
    for (String shape : results.shapes()) {
      List<Bar> bars = new ArrayList<>();
      for (String name : results.contestants()) {
        results
            .find(shape, name)
            .ifPresent(
                own -> {
                  Spread length = products ? Roofline.gops(own) : speed(own);
                  bars.add(new Bar(name, length.median(), length.lower(), length.upper()));
                });
      }
      chart.group(shape, bars);
    }
    return products ? chart : chart.mark(1);
  }

  private Spread speed(Measurement own) {
    return own.speedOver(results.yardstick(own.shape()).orElse(results.measurements().getFirst()));
  }

  private String yardsticks() {
    List<String> names =
        results.shapes().stream()
            .flatMap(shape -> results.yardstick(shape).stream())
            .map(Measurement::contestant)
            .distinct()
            .toList();
    return names.isEmpty() ? results.contestants().getFirst() : String.join(" or ", names);
  }
}
