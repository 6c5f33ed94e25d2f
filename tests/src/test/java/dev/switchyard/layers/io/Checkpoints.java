package dev.switchyard.layers.io;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Checkpoints whose content is a function of their step, and how they compare. */
final class Checkpoints {
  private Checkpoints() {}

  static Checkpoint at(long step, int elements) {
    FloatMatrix weight = FloatMatrix.allocate(1, elements);
    for (int i = 0; i < elements; i++) {
      weight.data()[i] = CounterRandom.uniform(step, i);
    }
    return new Checkpoint(
        Map.of("w", weight),
        Set.of("w"),
        Map.of("w.m", FloatMatrix.of(new float[] {-step, Float.MIN_VALUE}, 2, 1)),
        Map.of("w", step),
        step % 2 == 0 ? "" : "AdamW",
        new Progress(step, -7, step / 10, step % 10),
        Map.of("dim", "32", "\u00e9", "\"\n"));
  }

  /** All of a checkpoint in text, bit for bit. */
  static String text(Checkpoint checkpoint) {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(checkpoint.weights()).forEach((name, m) -> append(text, name, m));
    new TreeMap<>(checkpoint.state()).forEach((name, m) -> append(text, name, m));
    return text.append(new TreeMap<>(checkpoint.steps()))
        .append(checkpoint.algorithm())
        .append(checkpoint.progress())
        .append(new TreeMap<>(checkpoint.options()))
        .toString();
  }

  private static void append(StringBuilder text, String name, FloatMatrix m) {
    text.append(name).append(m.shape());
    for (float value : m.data()) {
      text.append(' ').append(Float.floatToRawIntBits(value));
    }
  }
}
