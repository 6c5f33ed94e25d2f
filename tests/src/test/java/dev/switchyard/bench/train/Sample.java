package dev.switchyard.bench.train;

import dev.switchyard.bench.command.MachineInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Results made up for tests. */
final class Sample {
  static final TrainingResult FLOAT32 =
      new TrainingResult(
          "FLOAT32",
          0.8735,
          0.3120,
          182.4,
          parts("floatMultiply", 100.0, "attention", 50.0, "rest", 32.4),
          1402.4,
          losses(100, 0));

  static final TrainingResult SWITCHBACK =
      new TrainingResult(
          "SWITCHBACK",
          0.872,
          0.3140,
          95.0,
          parts("quantize", 3.1, "int8Multiply", 40.0, "attention", 45.0, "rest", 6.9),
          2690,
          losses(100, 0.01));

  static final MachineInfo MACHINE =
      new MachineInfo("Some CPU", 2, 24L << 30, "Linux 6.1", "25.0.3 (Some vendor)");

  private Sample() {}

  static Report report(TrainingResult... runs) {
    Map<String, Object> options = new LinkedHashMap<>();
    options.put("epochs", 5);
    options.put("data", "shipped");
    return new Report(List.of(runs), MACHINE, "vector", 7, options);
  }

  static TrainingResult diverged() {
    return new TrainingResult(
        "INT8_ALL", 0.1, Double.NaN, 90, Map.of(), 2800, List.of(2.5, 3.5, Double.NaN, 2.0));
  }

  static List<Double> losses(int steps, double offset) {
    return IntStream.range(0, steps).mapToObj(i -> offset + 2.5 / (1 + 0.1 * i)).toList();
  }

  private static Map<String, Double> parts(Object... namesAndMillis) {
    Map<String, Double> parts = new LinkedHashMap<>();
    for (int i = 0; i < namesAndMillis.length; i += 2) {
      parts.put((String) namesAndMillis[i], (Double) namesAndMillis[i + 1]);
    }
    return parts;
  }
}
