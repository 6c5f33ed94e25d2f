package dev.switchyard.bench.train;

import dev.switchyard.bench.command.Json;
import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.command.OutputFolder;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Writes the outcome of a run to a folder: {@code result.json}, {@code curves.csv} and {@code
 * curves.svg} and {@code train.html}. Each file is complete or absent. Equal reports give equal
 * bytes.
 */
public final class ResultWriter {
  /** The file that all numbers are in. */
  static final String JSON = "result.json";

  private final OutputFolder folder;

  /** Writes to {@code folder}, which need not exist yet. */
  public ResultWriter(Path folder) {
    this.folder = new OutputFolder(folder);
  }

  /**
   * Writes the files, the page last.
   *
   * @return the names of the files
   * @throws UncheckedIOException if one cannot be written; those before it are complete
   */
  public List<String> write(Report report) {
    createFolder();
    folder.write(JSON, json(report));
    folder.write("curves.csv", csv(report.runs()));
    folder.write("curves.svg", LossChart.of(report.runs()).picture());
    folder.write("train.html", TrainPage.of(report));
    return List.of("result.json", "curves.csv", "curves.svg", "train.html");
  }

  /** Creates the folder, so that one that cannot be written to is found before the work is done. */
  public void createFolder() {
    folder.create();
  }

  private static String json(Report report) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put(
        "runs", report.runs().stream().map(run -> json(run, report.runs().getFirst())).toList());
    root.put("timing", Timing.METHOD);
    MachineInfo machine = report.machine();
    Map<String, Object> machineNode = new LinkedHashMap<>();
    machineNode.put("cpu", machine.cpu());
    machineNode.put("cores", machine.cores());
    machineNode.put("memoryGib", machine.memoryGib());
    machineNode.put("os", machine.os());
    root.put("machine", machineNode);
    root.put("jdk", machine.jdk());
    root.put("backend", report.backend());
    root.put("seed", report.seed());
    root.put("options", report.options());
    return Json.of(root);
  }

  private static Map<String, Object> json(TimedTraining run, TimedTraining first) {
    Map<String, Object> node = new LinkedHashMap<>();
    node.put("precision", run.precision());
    node.put("testAccuracy", run.result().testAccuracy());
    node.put("testAccuracyMinusFirst", run.result().accuracyOver(first.result()));
    node.put("finalLoss", finiteOrNull(run.result().finalLoss()));
    node.put("stepMillis", run.times().stepMillis());
    node.put("partsMillis", run.times().partsMillis());
    node.put("imagesPerSecond", run.imagesPerSecond());
    node.put("speedOverFirst", run.times().speedOver(first.times()));
    return node;
  }

  /** JSON has no NaN; the loss of a training that diverged is null. */
  private static Double finiteOrNull(double value) {
    return Double.isFinite(value) ? value : null;
  }

  private static String csv(List<TimedTraining> runs) {
    StringBuilder text = new StringBuilder("step");
    runs.forEach(run -> text.append(',').append(run.precision()));
    text.append('\n');
    int steps = runs.stream().mapToInt(run -> run.result().losses().size()).max().orElse(0);
    for (int i = 0; i < steps; i++) {
      int step = i;
      text.append(step + 1)
          .append(',')
          .append(runs.stream().map(run -> cell(run, step)).collect(Collectors.joining(",")))
          .append('\n');
    }
    return text.toString();
  }

  private static String cell(TimedTraining run, int step) {
    return step < run.result().losses().size() ? run.result().losses().get(step).toString() : "";
  }
}
