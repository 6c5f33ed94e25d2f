package dev.switchyard.bench.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How a training went.
 *
 * @param precision the name of the precision it ran in
 * @param testAccuracy the part of the test images that were classified rightly, from 0 to 1
 * @param finalLoss the training loss at the end
 * @param stepMillis the time of a step
 * @param partsMillis the time of a step by part, in the order to show; names are in camel case,
 *     such as {@code quantize}, {@code multiply}, {@code weightGradient}, {@code attention}, {@code
 *     optimizer} and {@code rest}
 * @param imagesPerSecond training images a second
 * @param losses the loss of each step; not finite where the training diverged
 */
public record TrainingResult(
    String precision,
    double testAccuracy,
    double finalLoss,
    double stepMillis,
    Map<String, Double> partsMillis,
    double imagesPerSecond,
    List<Double> losses) {
  /** Takes copies, and checks what a mistake in the units would violate. */
  public TrainingResult {
    partsMillis = Collections.unmodifiableMap(new LinkedHashMap<>(partsMillis));
    losses = List.copyOf(losses);
    if (!(testAccuracy >= 0 && testAccuracy <= 1)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "testAccuracy is %s (expected 0 to 1)", testAccuracy));
    }
    if (!(stepMillis > 0)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "stepMillis is %s (expected more than 0)", stepMillis));
    }
  }
}
