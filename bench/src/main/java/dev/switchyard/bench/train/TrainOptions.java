package dev.switchyard.bench.train;

import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.processes.Sharing;
import dev.switchyard.layers.Precision;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What to train and how.
 *
 * @param task what to train
 * @param precisions one training is run for each, in this order
 * @param epochs passes over the training set
 * @param batch images a step
 * @param width features of a token
 * @param depth transformer blocks
 * @param heads attention heads of a block; they share the width equally
 * @param optimizer what makes steps of gradients
 * @param rate the highest learning rate
 * @param threads threads that compute
 * @param seed what weights and the order of batches are drawn from
 * @param sharing how processes share each step
 */
public record TrainOptions(
    TaskName task,
    List<Precision> precisions,
    int epochs,
    int batch,
    int width,
    int depth,
    int heads,
    OptimizerName optimizer,
    float rate,
    int threads,
    long seed,
    Sharing sharing) {
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
    if (!(rate > 0 && rate <= 1)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "--rate is %s (expected more than 0, and 1 or less)", rate));
    }
    if (width % heads != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "--width is %d but --heads is %d (expected a width that the heads divide)",
              width,
              heads));
    }
  }

  /** How many steps that is. */
  public int steps(FashionMnist images) {
    return epochs * (images.training().count() / batch);
  }

  /** The values by the names of their options, as a report shows them; the seed apart. */
  Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("task", task.name());
    map.put("epochs", epochs);
    map.put("batch", batch);
    map.put("width", width);
    map.put("depth", depth);
    map.put("heads", heads);
    map.put("optimizer", optimizer.name());
    map.put("rate", rate);
    map.put("threads", threads);
    if (sharing.shards() > 1) {
      map.putAll(sharing.asMap());
    }
    return map;
  }

  /**
   * What must be the same for a training to go on: all but the numbers of threads and processes, on
   * which no result depends by more than rounding.
   */
  Map<String, String> identity() {
    Map<String, String> identity = new LinkedHashMap<>();
    asMap().forEach((name, value) -> identity.put(name, value.toString()));
    identity.keySet().removeAll(sharing.asMap().keySet());
    identity.remove("threads");
    identity.putAll(sharing.identity());
    identity.put("seed", Long.toString(seed));
    return identity;
  }
}
