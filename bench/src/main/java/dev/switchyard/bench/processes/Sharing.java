package dev.switchyard.bench.processes;

import dev.switchyard.mpi.Reduction;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How processes share a training.
 *
 * @param gradients how their mean is computed
 * @param shards of a batch, a multiple of the processes
 * @param optimizerIsSharded whether each process keeps a part of the optimizer's state
 * @param localSteps that a process makes alone between two agreements; 0 for none
 */
public record Sharing(Reduction gradients, int shards, boolean optimizerIsSharded, int localSteps) {
  /** For one process. */
  public static final Sharing ALONE = new Sharing(Reduction.FLOAT32, 1, false, 0);

  /** The first example of a shard, and with the next shard the one after its last. */
  public int first(int shard, int examples) {
    return (int) ((long) examples * shard / shards);
  }

  /** The size of a shard over that of the mean shard; alone, each is a batch by itself. */
  public double weight(int shard, int examples) {
    int count = first(shard + 1, examples) - first(shard, examples);
    return localSteps > 0 ? 1 : (double) count * shards / examples;
  }

  /** Whether losses that compare examples see those of all processes. */
  public boolean seesWholeBatch() {
    return localSteps == 0;
  }

  /** The values by the names of their options. */
  public Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("gradients", gradients.name());
    map.put("shards", shards);
    map.put("shard-optimizer", optimizerIsSharded);
    map.put("local-steps", localSteps);
    return map;
  }

  /**
   * What must be the same for a training to go on, on however many processes. Shards count only
   * where the result depends on them by more than rounding.
   */
  public Map<String, String> identity() {
    Map<String, String> identity = new LinkedHashMap<>();
    identity.put("gradients", gradients.name());
    identity.put("local-steps", Integer.toString(localSteps));
    if (gradients == Reduction.ORDERED || localSteps > 0) {
      identity.put("shards", Integer.toString(shards));
    }
    return identity;
  }
}
