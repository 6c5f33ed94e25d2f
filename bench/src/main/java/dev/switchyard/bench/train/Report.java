package dev.switchyard.bench.train;

import dev.switchyard.bench.command.MachineInfo;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All that is kept of a run of the command.
 *
 * @param runs the trainings, in the order they ran
 * @param machine what they ran on
 * @param backend the kernels they ran on, in words
 * @param seed the seed they had in common
 * @param options the other options, in the order to show
 */
public record Report(
    List<TimedTraining> runs,
    MachineInfo machine,
    String backend,
    long seed,
    Map<String, Object> options) {
  /** Takes copies. */
  public Report {
    runs = List.copyOf(runs);
    options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
  }
}
