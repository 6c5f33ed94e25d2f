package dev.switchyard.bench.report;

import dev.switchyard.bench.command.Ratio;
import dev.switchyard.bench.page.BarChart;
import dev.switchyard.bench.page.BarChart.Bar;
import dev.switchyard.bench.page.Figure;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.statistics.Interval;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

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
      List<Measurement> owns = new ArrayList<>();
      List<Measurement> against = new ArrayList<>();
      List<String> rivals = new ArrayList<>();
      for (String shape : results.shapes()) {
        Measurement own = results.find(shape, contestant).filter(SuiteResults::isOurs).orElse(null);
        Measurement rival = own == null ? null : results.rivalOf(own).orElse(null);
        if (rival != null) {
          owns.add(own);
          against.add(rival);
          if (!rivals.contains(rival.contestant())) {
            rivals.add(rival.contestant());
          }
        }
      }
      if (!owns.isEmpty()) {
        clauses.add(
            String.format(
                Locale.ROOT,
                "%s is %s times as fast as %s",
                contestant,
                speed(owns, against),
                String.join(" or ", rivals)));
      }
    }
    return clauses.isEmpty()
        ? ""
        : "In the geometric mean over the shapes, each against the fastest at each shape: "
            + String.join("; ", clauses)
            + ".";
  }

  /** In the geometric mean; with an interval where there are rounds, in which all meet the same. */
  private static String speed(List<Measurement> owns, List<Measurement> rivals) {
    int rounds =
        Stream.concat(owns.stream(), rivals.stream())
            .mapToInt(m -> m.rounds().size())
            .min()
            .orElse(0);
    double[] logarithms = new double[rounds];
    double ofMedians = 0;
    for (int i = 0; i < owns.size(); i++) {
      Measurement own = owns.get(i);
      ofMedians += Math.log(own.speedOver(rivals.get(i)).median()) / owns.size();
      for (int round = 0; round < rounds; round++) {
        double ratio = own.rounds().get(round) / rivals.get(i).rounds().get(round);
        logarithms[round] += Math.log(own.isRate() ? ratio : 1 / ratio) / owns.size();
      }
    }
    return rounds < 2
        ? Ratio.text(Math.exp(ofMedians))
        : Interval.ofMean(logarithms).map(Math::exp).text("%.2f");
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
