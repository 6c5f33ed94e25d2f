package dev.switchyard.bench.experiment;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What a {@link dev.switchyard.layers.optim.StabilityMonitor} writes, as one series a quantity and
 * name, rounded to float32, as checkpoints keep it. Steps in which nothing was written are not
 * numbers.
 */
final class Measurements implements Appendable {
  private static final Pattern COMMA = Pattern.compile(",");

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
  public Appendable append(CharSequence line) {
    List<String> cells = COMMA.splitAsStream(line.toString().strip()).toList();
    if (Character.isDigit(cells.get(0).charAt(0))) { // not the header
      put(
          Integer.parseInt(cells.get(0)),
          cells.get(1),
          cells.get(2),
          Double.parseDouble(cells.get(3)));
    }
    return this;
  }

  void put(int step, String name, String quantity, double value) {
    series.computeIfAbsent(name + "," + quantity, key -> nothing())[first + step] = (float) value;
  }

  private double[] nothing() {
    double[] values = new double[steps];
    Arrays.fill(values, Double.NaN);
    return values;
  }

  /** The series of a quantity; not numbers if nothing was written. */
  double[] of(String name, String quantity) {
    return series.getOrDefault(name + "," + quantity, nothing()).clone();
  }

  /** All series by {@code name,quantity}. */
  Map<String, double[]> all() {
    return series;
  }

  @Override
  public Appendable append(CharSequence text, int start, int end) {
    return append(text.subSequence(start, end));
  }

  @Override
  public Appendable append(char c) {
    throw new UnsupportedOperationException("lines are written whole");
  }
}
