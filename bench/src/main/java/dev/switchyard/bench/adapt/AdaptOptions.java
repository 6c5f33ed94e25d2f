package dev.switchyard.bench.adapt;

import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.processes.Sharing;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.model.Pooling;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * How an encoder is adapted.
 *
 * @param coda of all variants, but for router and reduction
 * @param precision of the heavy branch while training and in tests
 * @param pooling of the states of a text, for the head
 * @param maxTokens of a text; what follows is ignored
 * @param batch texts a step
 * @param lightSteps steps of the light phase
 * @param epochs passes over the training texts in the task phase
 * @param rate the highest learning rate
 * @param threads that compute
 * @param seed what all that is random is drawn from
 * @param sharing how processes share each step
 */
record AdaptOptions(
    CodaOptions coda,
    Precision precision,
    Pooling pooling,
    int maxTokens,
    int batch,
    int lightSteps,
    int epochs,
    float rate,
    int threads,
    long seed,
    Sharing sharing) {
  AdaptOptions {
    OptionRange.require("--max-tokens", maxTokens, 1 << 20);
    OptionRange.require("--batch", batch, 1 << 16);
    OptionRange.require("--bottleneck", coda.bottleneck(), 1 << 16);
    OptionRange.require("--epochs", epochs, 10_000);
    OptionRange.require("--threads", threads, 1_024);
    if (lightSteps < 0) {
      throw new IllegalArgumentException(
          "--light-steps is " + lightSteps + " (expected 0 or more)");
    }
    if (!(rate > 0 && rate <= 1)) {
      throw new IllegalArgumentException("--rate is " + rate + " (expected more than 0, to 1)");
    }
  }

  /**
   * The precision of adapters beside a heavy branch: they are trained, and too narrow to gain from
   * int8.
   */
  static Precision ofAdapter(Precision ofHeavy) {
    return ofHeavy == Precision.FLOAT32 ? Precision.FLOAT32 : Precision.BFLOAT16;
  }

  Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("attention", coda.attention());
    map.put("gate", coda.gate());
    map.put("eps", coda.softTopK().schedule().last());
    map.put("bottleneck", coda.bottleneck());
    map.put("precision", precision);
    map.put("pooling", pooling);
    map.put("maxTokens", maxTokens);
    map.put("batch", batch);
    map.put("lightSteps", lightSteps);
    map.put("epochs", epochs);
    map.put("rate", rate);
    map.put("threads", threads);
    map.put("seed", seed);
    if (sharing.shards() > 1) {
      map.putAll(sharing.asMap());
    }
    return map;
  }

  /** What must be the same for a training to go on, by the names of the options. */
  Map<String, String> identity() {
    Map<String, Object> map = asMap();
    map.remove("threads");
    map.keySet().removeAll(sharing.asMap().keySet());
    Map<String, String> identity = new LinkedHashMap<>(sharing.identity());
    map.forEach((name, value) -> identity.put(hyphenated(name), String.valueOf(value)));
    return identity;
  }

  private static String hyphenated(String camelCase) {
    return camelCase.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
  }
}
