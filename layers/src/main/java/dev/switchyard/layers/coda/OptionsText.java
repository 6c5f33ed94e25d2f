package dev.switchyard.layers.coda;

import dev.switchyard.layers.Precision;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** Options as a file has them: texts by name. */
final class OptionsText {
  /** What may differ between training and use, since no parameter means anything else by it. */
  private static final String DROPOUT = "dropout";

  private static final String PRECISION = "precision";
  private static final String EXACT = "EXACT";
  private static final String DESCENT = "COORDINATE_DESCENT";

  private OptionsText() {}

  static Map<String, String> of(CodaOptions options) {
    Map<String, String> text = new LinkedHashMap<>();
    text.put("router", options.router().name());
    text.put("reduction", Double.toString(options.reduction()));
    text.put("attention", options.attention().name());
    text.put("gate", options.gate().name());
    switch (options.softTopK().solver()) {
      case SoftTopK.Exact _ -> text.put("solver", EXACT);
      case SoftTopK.CoordinateDescent descent -> {
        text.put("solver", DESCENT);
        text.put("turns", Integer.toString(descent.turns()));
        text.put("firstTurnEps", Double.toString(descent.firstEps()));
        text.put("turnDecay", Double.toString(descent.decay()));
      }
    }
    EpsSchedule schedule = options.softTopK().schedule();
    text.put("firstEps", Double.toString(schedule.first()));
    text.put("epsDecay", Double.toString(schedule.decay()));
    text.put("lastEps", Double.toString(schedule.last()));
    text.put("relaxation", Double.toString(options.softTopK().relaxation()));
    text.put("bottleneck", Integer.toString(options.bottleneck()));
    text.put("scale", Float.toString(options.scale()));
    text.put("normalize", Boolean.toString(options.normalize()));
    text.put(DROPOUT, Float.toString(options.dropout()));
    text.put(PRECISION, options.precision().name());
    return text;
  }

  /** Those that say what the parameters mean. */
  static Map<String, String> meaning(CodaOptions options) {
    Map<String, String> text = of(options);
    text.remove(DROPOUT);
    text.remove(PRECISION);
    return text;
  }

  /**
   * The options of a file.
   *
   * @throws IllegalArgumentException that names what is missing or makes no sense
   */
  static CodaOptions read(Map<String, String> text) {
    String solver = get(text, "solver", Function.identity());
    SoftTopK.Solver solves =
        switch (solver) {
          case EXACT -> new SoftTopK.Exact();
          case DESCENT ->
              new SoftTopK.CoordinateDescent(
                  get(text, "turns", Integer::valueOf),
                  get(text, "firstTurnEps", Double::valueOf),
                  get(text, "turnDecay", Double::valueOf));
          default ->
              throw new IllegalArgumentException(
                  "solver is " + solver + " (expected " + EXACT + " or " + DESCENT + ")");
        };
    return new CodaOptions(
        get(text, "router", RouterKind::valueOf),
        get(text, "reduction", Double::valueOf),
        get(text, "attention", HeavyAttention::valueOf),
        get(text, "gate", Gate::valueOf),
        new SoftTopK(
            solves,
            new EpsSchedule(
                get(text, "firstEps", Double::valueOf),
                get(text, "epsDecay", Double::valueOf),
                get(text, "lastEps", Double::valueOf)),
            get(text, "relaxation", Double::valueOf)),
        get(text, "bottleneck", Integer::valueOf),
        get(text, "scale", Float::valueOf),
        get(text, "normalize", Boolean::valueOf),
        get(text, DROPOUT, Float::valueOf),
        get(text, PRECISION, Precision::valueOf));
  }

  private static <T> T get(Map<String, String> text, String name, Function<String, T> parse) {
    String value = text.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no " + name + " (expected all options)");
    }
    try {
      return parse.apply(value);
    } catch (IllegalArgumentException e) { // NumberFormatException is one
      throw new IllegalArgumentException(name + " is " + value + ": " + e.getMessage(), e);
    }
  }
}
