package dev.switchyard.bench.train;

import dev.switchyard.bench.statistics.Interval;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How long the steps of a training take.
 *
 * @param roundMillis the mean time of a step in each round of a {@link Timing}
 * @param partsMillis the time of a step by part, in the order to show; names are in camel case,
 *     such as {@code quantize}, {@code multiply}, {@code weightGradient}, {@code attention}, {@code
 *     optimizer} and {@code rest}
 */
public record StepTimes(List<Double> roundMillis, Map<String, Double> partsMillis) {
  /** Takes copies, and checks what a mistake in the units would violate. */
  public StepTimes {
    roundMillis = List.copyOf(roundMillis);
    partsMillis = Collections.unmodifiableMap(new LinkedHashMap<>(partsMillis));
    if (roundMillis.isEmpty() || !roundMillis.stream().allMatch(millis -> millis > 0)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "roundMillis is %s (expected one or more, above 0)", roundMillis));
    }
  }

  /** The time of a step: the median of the rounds. */
  public double stepMillis() {
    List<Double> sorted = roundMillis.stream().sorted().toList();
    int half = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(half)
        : (sorted.get(half - 1) + sorted.get(half)) / 2;
  }

  /** How many times as fast it is as another, measured in the same rounds. */
  public Interval speedOver(StepTimes other) {
    return Interval.ofRatio(array(other.roundMillis), array(roundMillis));
  }

  private static double[] array(List<Double> millis) {
    return millis.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
