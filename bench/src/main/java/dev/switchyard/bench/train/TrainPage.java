package dev.switchyard.bench.train;

import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.Page;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The outcome of a run as a page: what to do, the curves, the numbers. */
final class TrainPage {
  private TrainPage() {}

  static String of(Report report) {
    List<TimedTraining> runs = report.runs();
    Map<String, List<Double>> losses = new LinkedHashMap<>();
    runs.forEach(run -> losses.put(run.precision(), run.result().losses()));
    Section section =
        new Section(
            "Trainings",
            "The same model, data, batches and optimizer in each. In brackets: 95 % intervals.",
            LossCharts.of(losses),
            table(runs));
    Findings findings =
        new Findings("Trained", finding(runs), List.of(), List.of(section), List.of());
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("machine", report.machine().inOneLine());
    facts.put("backend", report.backend());
    facts.put("seed", Long.toString(report.seed()));
    facts.put(
        "options",
        report.options().entrySet().stream()
            .map(option -> option.getKey() + " " + option.getValue())
            .collect(Collectors.joining(", ")));
    return Page.of(findings, facts);
  }

  static String finding(List<TimedTraining> runs) {
    TimedTraining first = runs.getFirst();
    return TrainingFinding.sentence(
        first.precision(),
        runs.stream()
            .skip(1)
            .filter(run -> Double.isFinite(run.result().finalLoss()))
            .map(
                run ->
                    new TrainingFinding(
                        run.precision(),
                        run.times().speedOver(first.times()),
                        run.result().accuracyOver(first.result())))
            .toList());
  }

  private static Table table(List<TimedTraining> runs) {
    TimedTraining first = runs.getFirst();
    return new Table(
        List.of(
            "",
            "final loss",
            "test accuracy",
            "points more than the first",
            "time of a step",
            "images a second",
            "times as fast as the first"),
        runs.stream()
            .map(
                run ->
                    List.of(
                        run.precision(),
                        String.format(Locale.ROOT, "%.4f", run.result().finalLoss()),
                        String.format(Locale.ROOT, "%.2f %%", 100 * run.result().testAccuracy()),
                        run.equals(first)
                            ? ""
                            : run.result()
                                .accuracyOver(first.result())
                                .map(part -> 100 * part)
                                .cell("%+.2f"),
                        String.format(Locale.ROOT, "%.1f ms", run.times().stepMillis()),
                        String.format(Locale.ROOT, "%,.0f", run.imagesPerSecond()),
                        run.equals(first) ? "" : run.times().speedOver(first.times()).cell("%.2f")))
            .toList());
  }
}
