package dev.switchyard.bench.train;

import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.layers.Precision;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What to train and how.
 *
 * @param precisions one training is run for each, in this order
 * @param epochs passes over the training set
 * @param batch images a step
 * @param width features of a token
 * @param depth transformer blocks
 * @param heads attention heads of a block; they share the width equally
 * @param threads threads that compute
 * @param seed what weights and the order of batches are drawn from
 */
public record TrainOptions(
    List<Precision> precisions,
    int epochs,
    int batch,
    int width,
    int depth,
    int heads,
    int threads,
    long seed) {
  /** Checks every value; what is wrong is said in terms of the command's options. */
  public TrainOptions {
    precisions = List.copyOf(precisions);
    if (precisions.isEmpty()) {
      throw new IllegalArgumentException("--precision is empty (expected at least one)");
    }
    if (EnumSet.copyOf(precisions).size() < precisions.size()) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "--precision is %s (expected each at most once)", precisions));
    }
    OptionRange.require("--epochs", epochs, 10_000);
    OptionRange.require("--batch", batch, 4_096);
    OptionRange.require("--width", width, 4_096);
    OptionRange.require("--depth", depth, 64);
    OptionRange.require("--heads", heads, 256);
    OptionRange.require("--threads", threads, 1_024);
    if (width % heads != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "--width is %d but --heads is %d (expected a width that the heads divide)",
              width,
              heads));
    }
  }

  /** The numbers by the names of their options, as a report shows them; the seed apart. */
  Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("epochs", epochs);
    map.put("batch", batch);
    map.put("width", width);
    map.put("depth", depth);
    map.put("heads", heads);
    map.put("threads", threads);
    return map;
  }
}
