package dev.switchyard.bench.report;

import dev.switchyard.bench.page.BarChart;
import dev.switchyard.bench.page.BarChart.Bar;
import dev.switchyard.bench.page.Figure;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.report.Trainings.Run;
import dev.switchyard.bench.statistics.Interval;
import dev.switchyard.bench.train.LossCharts;
import dev.switchyard.bench.train.TrainingFinding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Trainings side by side: loss curves, accuracy, speed. */
final class TrainingSection {
  private TrainingSection() {}

  static Section of(Trainings trainings) {
    List<Run> runs = trainings.runs();
    List<String> names = runs.stream().map(Run::precision).toList();
    Map<String, List<Double>> losses = new LinkedHashMap<>();
    BarChart speeds =
        new BarChart(
            "Images trained on in a second",
            images -> String.format(Locale.ROOT, "%,.0f", images),
            names);
    List<List<String>> rows = new ArrayList<>();
    List<Bar> bars = new ArrayList<>();
    for (Run run : runs) {
      losses.put(run.precision(), Arrays.stream(run.losses()).boxed().toList());
      bars.add(
          new Bar(
              run.precision(),
              run.imagesPerSecond(),
              run.imagesPerSecond(),
              run.imagesPerSecond()));
      rows.add(
          List.of(
              run.precision(),
              String.format(Locale.ROOT, "%.4f", run.finalLoss()),
              String.format(Locale.ROOT, "%.2f %%", 100 * run.testAccuracy()),
              cell(run, runs, run.accuracyOverFirst().map(i -> i.map(part -> 100 * part)), "%+.2f"),
              Measurement.digits(run.stepMillis()) + " ms",
              String.format(Locale.ROOT, "%,.0f", run.imagesPerSecond()),
              cell(run, runs, run.speedOverFirst(), "%.2f")));
    }
    speeds.group("", bars);
    List<Figure> figures = new ArrayList<>(LossCharts.of(losses));
    figures.add(speeds);
    return new Section(
        "Training: " + trainings.folder(),
        String.format(
            Locale.ROOT,
            "%s The same model, data, batches and optimizer in each: %s. On %s. In brackets: 95 %%"
                + " intervals.",
            finding(runs),
            trainings.options(),
            trainings.machine()),
        figures,
        new Table(
            List.of(
                "",
                "final loss",
                "test accuracy",
                "points more than the first",
                "time of a step",
                "images a second",
                "times as fast as the first"),
            rows));
  }

  /** What to do, of those whose intervals are known. */
  static String finding(List<Run> runs) {
    return TrainingFinding.sentence(
        runs.getFirst().precision(),
        runs.stream()
            .skip(1)
            .filter(run -> Double.isFinite(run.finalLoss()))
            .flatMap(
                run ->
                    run
                        .speedOverFirst()
                        .flatMap(
                            speed ->
                                run.accuracyOverFirst()
                                    .map(
                                        accuracy ->
                                            new TrainingFinding(run.precision(), speed, accuracy)))
                        .stream())
            .toList());
  }

  private static String cell(Run run, List<Run> runs, Optional<Interval> overFirst, String format) {
    return run.equals(runs.getFirst()) ? "" : overFirst.map(i -> i.cell(format)).orElse("");
  }
}
