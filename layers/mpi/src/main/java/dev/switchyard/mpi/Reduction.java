package dev.switchyard.mpi;

/** How the mean of gradients is computed, and what travels for it. */
public enum Reduction {
  /**
   * 32-bit floats, summed by the MPI library in an order of its own: the fastest of those that lose
   * nothing.
   */
  FLOAT32,

  /**
   * 32-bit floats, summed in the order of shards, so that the mean has the same bits for any number
   * of processes that share the same shards. Each shard of a process travels by itself.
   */
  ORDERED,

  /**
   * Rounded to bfloat16, half the bytes. What rounding takes away is added to the next gradient
   * (error feedback).
   */
  BFLOAT16,

  /**
   * int8 with one scale for 512 elements, stochastically rounded, a quarter of the bytes; with
   * error feedback.
   */
  INT8
}
