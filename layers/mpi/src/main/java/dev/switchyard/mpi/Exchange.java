package dev.switchyard.mpi;

import java.lang.foreign.MemorySegment;

/**
 * How one bucket of gradients is added up over all shards: in two parts that other buckets' parts
 * may come between. Either part is begun in the order of buckets by every process.
 */
interface Exchange {
  /** Where a shard of this process is put before the exchange: native floats. */
  MemorySegment shard(int index);

  /**
   * Begins the first part.
   *
   * @param step of the training, for random draws
   */
  Collective.Pending start(long step);

  /** Begins the second part, when the first is done. */
  Collective.Pending startSecond();

  /** The sum over all shards, when the second part is done: floats, until the next start. */
  MemorySegment sum();

  /** The bytes that this process sends to others for one exchange. */
  long bytes();
}
