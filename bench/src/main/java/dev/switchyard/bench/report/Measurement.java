package dev.switchyard.bench.report;

import dev.switchyard.bench.statistics.Interval;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What JMH measured of one contestant at one shape.
 *
 * @param shape as the suite names it
 * @param contestant as the suite names it
 * @param threads of the contestant
 * @param unit as JMH has it, such as {@code ms/op}
 * @param rounds the median of each JVM, in this unit
 * @param value that of all JVMs, in this unit
 * @param parts other counts of an iteration, by name
 */
record Measurement(
    String shape,
    String contestant,
    int threads,
    String unit,
    List<Double> rounds,
    Spread value,
    Map<String, Double> parts) {
  Measurement {
    rounds = List.copyOf(rounds);
    parts = Map.copyOf(parts);
  }

  ContestantName name() {
    return ContestantName.of(contestant);
  }

  /** Whether more is better. */
  boolean isRate() {
    return unit.startsWith("ops/");
  }

  /**
   * How many times as fast as another that was measured at another time. What a JVM measures again
   * and again is alike: what tells how far off it may be is another JVM.
   */
  Interval speedSince(Measurement before) {
    double[] own = array(rounds);
    double[] earlier = array(before.rounds);
    return isRate()
        ? Interval.ofUnpairedRatio(own, earlier)
        : Interval.ofUnpairedRatio(earlier, own);
  }

  private static double[] array(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** How many times as fast as another of the same suite. */
  Spread speedOver(Measurement other) {
    return isRate() ? value.times(1 / other.value.median()) : value.under(other.value.median());
  }

  /** For people: {@code 1.23 ms} or {@code 456 /s}. */
  String text() {
    String shortUnit =
        isRate() ? unit.substring("ops".length()) : unit.replace("us", "µs").replace("/op", "");
    return digits(value.median()) + " " + shortUnit;
  }

  /** Three digits, or all of those before the point. */
  static String digits(double value) {
    int decimals =
        value == 0 ? 0 : Math.clamp(2 - (long) Math.floor(Math.log10(Math.abs(value))), 0, 6);
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }
}
