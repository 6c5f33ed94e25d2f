package dev.switchyard.bench.experiment;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.optim.Measurement;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What a {@link dev.switchyard.layers.optim.StabilityMonitor} measures, as one series a quantity
 * and name, rounded to float32, as checkpoints keep it. Steps in which nothing was measured are not
 * numbers.
 */
final class Measurements implements Consumer<Measurement> {
  private final int steps;
  private final Map<String, double[]> series = new LinkedHashMap<>();
  private int first;

  Measurements(int steps) {
    this.steps = steps;
  }

  /** The series as matrices of one row. */
  Map<String, FloatMatrix> save() {
    Map<String, FloatMatrix> saved = new LinkedHashMap<>();
    series.forEach(
        (name, values) -> {
          FloatMatrix row = FloatMatrix.allocate(1, steps);
          for (int i = 0; i < steps; i++) {
            row.set(0, i, (float) values[i]);
          }
          saved.put(name, row);
        });
    return saved;
  }

  /** Goes on with saved ones; the monitor counts its steps from the given one on. */
  void restore(Map<String, FloatMatrix> saved, int firstStep) {
    first = firstStep;
    saved.forEach(
        (name, row) -> {
          double[] values = series.computeIfAbsent(name, key -> nothing());
          for (int i = 0; i < steps; i++) {
            values[i] = row.get(0, i);
          }
        });
  }

  @Override
  public void accept(Measurement m) {
    put(Math.toIntExact(m.step()), m.name(), m.quantity(), m.value());
  }

  void put(int step, String name, String quantity, double value) {
    series.computeIfAbsent(name + "," + quantity, key -> nothing())[first + step] = (float) value;
  }

  private double[] nothing() {
    double[] values = new double[steps];
    Arrays.fill(values, Double.NaN);
    return values;
  }

  /** The series of a quantity; not numbers if nothing was measured. */
  double[] of(String name, String quantity) {
    return series.getOrDefault(name + "," + quantity, nothing()).clone();
  }

  /** All series by {@code name,quantity}. */
  Map<String, double[]> all() {
    return series;
  }
}
