package dev.switchyard.bench.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.switchyard.bench.command.Json;
import dev.switchyard.bench.data.DataException;
import dev.switchyard.bench.data.Reason;
import dev.switchyard.bench.statistics.Interval;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What a folder of results holds.
 *
 * @param path the folder
 * @param roofs the machine's limits, where {@code machine.json} is there
 * @param suites those measured, in the order of {@link Suite}
 * @param trainings in the folder and the folders in it
 */
record ResultFolder(
    Path path, Optional<Roofs> roofs, List<SuiteResults> suites, List<Trainings> trainings) {
  private static final String TRAINED = "result.json";
  private static final String CURVES = "curves.csv";

  ResultFolder {
    suites = List.copyOf(suites);
    trainings = List.copyOf(trainings);
  }

  /**
   * Reads a folder.
   *
   * @throws DataException if there are no results in it, or one cannot be read
   */
  static ResultFolder read(Path path) {
    if (!Files.isDirectory(path)) {
      throw new DataException(
          path
              + (Files.exists(path) ? " is no folder" : " does not exist")
              + " (expected a folder that switchyard bench or switchyard train wrote to)");
    }
    Path machine = path.resolve(Roofs.FILE);
    Optional<Roofs> roofs =
        Files.exists(machine) ? Optional.of(Json.read(machine, Roofs.class)) : Optional.empty();
    List<SuiteResults> suites = new ArrayList<>();
    for (Suite suite : Suite.values()) {
      Path file = path.resolve(suite.fileName());
      List<Measurement> measurements = Files.exists(file) ? measurements(suite, file) : List.of();
      if (!measurements.isEmpty()) { // empty where all of its contestants failed
        suites.add(new SuiteResults(suite, measurements));
      }
    }
    List<Trainings> trainings = trainings(path);
    if (suites.isEmpty() && trainings.isEmpty()) {
      throw new DataException(
          path
              + " holds no results (expected files such as "
              + Suite.MULTIPLY.fileName()
              + " of switchyard bench, or "
              + TRAINED
              + " of switchyard train)");
    }
    return new ResultFolder(path, roofs, suites, trainings);
  }

  /**
   * Rounds are entries of their own, with the same parameters: their iterations are put together.
   */
  private static List<Measurement> measurements(Suite suite, Path file) {
    Map<List<String>, List<JsonNode>> rounds = new LinkedHashMap<>();
    for (JsonNode entry : Json.read(file, JsonNode.class)) {
      if (Suite.ofBenchmark(entry.path("benchmark").asText()).equals(Optional.of(suite))) {
        List<String> key =
            Stream.of("shape", "contestant", "threads")
                .map(name -> required(file, entry, "params", name).asText())
                .toList();
        rounds.computeIfAbsent(key, _ -> new ArrayList<>()).add(entry);
      }
    }
    List<Measurement> measurements = new ArrayList<>();
    rounds.forEach((key, entries) -> measurements.add(measurement(file, key, entries)));
    return measurements;
  }

  private static Measurement measurement(Path file, List<String> key, List<JsonNode> entries) {
    List<double[]> jvms =
        entries.stream()
            .flatMap(entry -> stream(required(file, entry, "primaryMetric", "rawData")))
            .map(jvm -> stream(jvm).mapToDouble(JsonNode::asDouble).toArray())
            .filter(jvm -> jvm.length > 0)
            .toList();
    double[] values = jvms.stream().flatMapToDouble(Arrays::stream).toArray();
    if (values.length == 0 || !Arrays.stream(values).allMatch(value -> value > 0)) {
      throw new DataException(
          file
              + " has values "
              + Arrays.toString(values)
              + " for "
              + key.get(0)
              + " "
              + key.get(1)
              + " (expected one or more above 0)");
    }
    Map<String, Double> parts = new LinkedHashMap<>();
    for (JsonNode entry : entries) {
      for (Map.Entry<String, JsonNode> part : entry.path("secondaryMetrics").properties()) {
        parts.merge(part.getKey(), part.getValue().path("score").asDouble(), Double::sum);
      }
    }
    String unit = required(file, entries.getFirst(), "primaryMetric", "scoreUnit").asText();
    return new Measurement(
        key.get(0),
        key.get(1),
        threads(file, key),
        unit,
        jvms.stream().map(jvm -> Spread.of(jvm).median()).toList(),
        Spread.of(values),
        parts);
  }

  private static int threads(Path file, List<String> key) {
    try {
      return Integer.parseInt(key.get(2));
    } catch (NumberFormatException e) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%s has threads %s for %s %s (expected a whole number)",
              file,
              key.get(2),
              key.get(0),
              key.get(1)),
          e);
    }
  }

  private static Stream<JsonNode> stream(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  private static JsonNode required(Path file, JsonNode node, String... names) {
    JsonNode found = node;
    for (String name : names) {
      found = found.path(name);
    }
    if (found.isMissingNode() || found.isNull()) {
      throw new DataException(file + " has an entry without " + String.join(".", names));
    }
    return found;
  }

  private static List<Trainings> trainings(Path path) {
    try (Stream<Path> inside = Files.list(path)) {
      return Stream.concat(Stream.of(path), inside.filter(Files::isDirectory).sorted())
          .filter(folder -> Files.exists(folder.resolve(TRAINED)))
          .map(ResultFolder::trainingsIn)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(path + " cannot be listed: " + Reason.of(e), e);
    }
  }

  private static Trainings trainingsIn(Path folder) {
    Path file = folder.resolve(TRAINED);
    JsonNode root = Json.read(file, JsonNode.class);
    List<String> machine = new ArrayList<>();
    for (String name : List.of("/machine/cpu", "/machine/os", "/jdk", "/backend")) {
      machine.add(root.at(name).asText());
    }
    List<String> options = new ArrayList<>();
    for (Map.Entry<String, JsonNode> option : root.path("options").properties()) {
      options.add(option.getKey() + " " + option.getValue().asText());
    }
    return new Trainings(
        folder.toAbsolutePath().normalize().getFileName().toString(),
        String.join(", ", machine),
        String.join(", ", options),
        runs(folder, file, root));
  }

  private static List<Trainings.Run> runs(Path folder, Path file, JsonNode root) {
    List<double[]> curves = curves(folder.resolve(CURVES));
    List<Trainings.Run> runs = new ArrayList<>();
    for (JsonNode run : required(file, root, "runs")) {
      runs.add(
          new Trainings.Run(
              required(file, run, "precision").asText(),
              required(file, run, "testAccuracy").asDouble(),
              run.path("finalLoss").asDouble(Double.NaN),
              required(file, run, "stepMillis").asDouble(),
              required(file, run, "imagesPerSecond").asDouble(),
              interval(run.path("testAccuracyMinusFirst")),
              interval(run.path("speedOverFirst")),
              runs.size() < curves.size() ? curves.get(runs.size()) : new double[0]));
    }
    return runs;
  }

  /** None in files of before there were intervals. */
  private static Optional<Interval> interval(JsonNode node) {
    return node.isObject()
        ? Optional.of(
            new Interval(
                node.path("estimate").asDouble(),
                node.path("lower").asDouble(),
                node.path("upper").asDouble()))
        : Optional.empty();
  }

  /** The columns behind the first, which counts the steps; none where the file is not there. */
  private static List<double[]> curves(Path file) {
    if (!Files.exists(file)) {
      return List.of();
    }
    try {
      List<String[]> rows =
          Files.readAllLines(file).stream().map(line -> line.split(",", -1)).toList();
      int columns = rows.isEmpty() ? 0 : rows.getFirst().length;
      List<double[]> curves = new ArrayList<>();
      for (int column = 1; column < columns; column++) {
        int at = column;
        curves.add(rows.stream().skip(1).mapToDouble(row -> number(row[at])).toArray());
      }
      return curves;
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read: " + Reason.of(e), e);
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      throw new DataException(file + " is no table of losses: " + e.getMessage(), e);
    }
  }

  private static double number(String cell) {
    return cell.isEmpty() ? Double.NaN : Double.parseDouble(cell);
  }
}
