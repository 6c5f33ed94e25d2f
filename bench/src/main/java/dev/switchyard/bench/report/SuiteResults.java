package dev.switchyard.bench.report;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What was measured in a suite.
 *
 * @param suite which one
 * @param measurements at most one of each contestant at each shape, in the order measured
 */
record SuiteResults(Suite suite, List<Measurement> measurements) {
  /** Of what others are held against where no peer takes part; the first that was measured. */
  private static final List<String> YARDSTICKS = List.of("COPY OF AS MANY BYTES", "COPY", "dense");

  SuiteResults {
    measurements = List.copyOf(measurements);
  }

  List<String> shapes() {
    return measurements.stream().map(Measurement::shape).distinct().toList();
  }

  List<String> contestants() {
    return measurements.stream().map(Measurement::contestant).distinct().toList();
  }

  Optional<Measurement> find(String shape, String contestant) {
    return at(shape).filter(m -> m.contestant().equals(contestant)).findFirst();
  }

  private Stream<Measurement> at(String shape) {
    return measurements.stream().filter(m -> m.shape().equals(shape));
  }

  /** The fastest at a shape of those that are meant, by the median. */
  Optional<Measurement> fastest(String shape, Predicate<Measurement> meant) {
    Comparator<Measurement> byValue = Comparator.comparingDouble(m -> m.value().median());
    Stream<Measurement> candidates = at(shape).filter(meant);
    return measurements.getFirst().isRate() ? candidates.max(byValue) : candidates.min(byValue);
  }

  /**
   * Who a contestant is held against at its shape: the fastest peer in the same type, or where none
   * has it the fastest peer; without peers a copy or the dense layer.
   */
  Optional<Measurement> rivalOf(Measurement own) {
    return fastest(own.shape(), m -> isPeer(m) && m.name().type().equals(own.name().type()))
        .or(() -> yardstick(own.shape()));
  }

  /** What all at a shape are held against: the fastest peer, or without peers a copy or such. */
  Optional<Measurement> yardstick(String shape) {
    return fastest(shape, SuiteResults::isPeer)
        .or(() -> YARDSTICKS.stream().flatMap(name -> find(shape, name).stream()).findFirst());
  }

  static boolean isPeer(Measurement measurement) {
    return !measurement.name().isOurs();
  }

  /** Whether it is neither a peer nor what others are held against. */
  static boolean isOurs(Measurement measurement) {
    return measurement.name().isOurs() && !YARDSTICKS.contains(measurement.contestant());
  }
}
