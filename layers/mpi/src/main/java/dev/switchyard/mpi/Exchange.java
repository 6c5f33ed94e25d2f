package dev.switchyard.mpi;

import java.lang.foreign.MemorySegment;

/**
 * How one bucket of gradients is added up over all shards: in two parts that other buckets' parts
 * may come between. Either part is begun in the order of buckets by every process.
 *
 * <p>What computes is apart from what sends, so that a process whose computation has failed can
 * still send, and nothing that outlives the step changes before {@link #keepLosses}.
 */
interface Exchange {
  /** Where a shard of this process is put before the exchange: native floats. */
  MemorySegment shard(int index);

  /**
   * Computes what the first part sends from the shards, whose memory may be used for other things.
   *
   * @param step of the training, for random draws
   */
  void encode(long step);

  /** Begins the first part. */
  Collective.Pending send();

  /** Computes what the second part sends, when the first is done. */
  void addUp();

  /** Begins the second part. */
  Collective.Pending sendSum();

  /** Remembers what rounding took away, for the next step; for a step that all have made. */
  void keepLosses();

  /** The sum over all shards, after {@link #keepLosses}: floats, until the next step. */
  MemorySegment sum();

  /** The bytes that this process sends to others for one exchange. */
  long bytes();
}
