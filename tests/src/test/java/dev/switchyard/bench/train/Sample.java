package dev.switchyard.bench.train;

import dev.switchyard.bench.command.MachineInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Results made up for tests. */
final class Sample {
  private static final int TESTS = 2000;
  private static final int BATCH = 256;

  static final TimedTraining FLOAT32 =
      new TimedTraining(
          new TrainingResult("FLOAT32", TESTS, mistakes(0, 253), 0.3120, losses(100, 0)),
          new StepTimes(
              List.of(180.0, 184.8, 182.4),
              parts("floatMultiply", 100.0, "attention", 50.0, "rest", 32.4)),
          BATCH);

  /** Of its mistakes, 233 are those of the other. */
  static final TimedTraining SWITCHBACK =
      new TimedTraining(
          new TrainingResult("SWITCHBACK", TESTS, mistakes(20, 276), 0.3140, losses(100, 0.01)),
          new StepTimes(
              List.of(95.0, 94.8, 95.2),
              parts("quantize", 3.1, "int8Multiply", 40.0, "attention", 45.0, "rest", 6.9)),
          BATCH);

  static final MachineInfo MACHINE =
      new MachineInfo("Some CPU", 2, 24L << 30, "Linux 6.1", "25.0.3 (Some vendor)");

  private Sample() {}

  static Report report(TimedTraining... runs) {
    Map<String, Object> options = new LinkedHashMap<>();
    options.put("epochs", 5);
    options.put("data", "shipped");
    return new Report(List.of(runs), MACHINE, "vector", 7, options);
  }

  static TimedTraining diverged() {
    return new TimedTraining(
        new TrainingResult(
            "INT8_ALL", TESTS, mistakes(0, 1800), Double.NaN, List.of(2.5, 3.5, Double.NaN, 2.0)),
        new StepTimes(List.of(90.0, 90.0, 90.0), Map.of()),
        BATCH);
  }

  private static List<Integer> mistakes(int from, int to) {
    return IntStream.range(from, to).boxed().toList();
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
