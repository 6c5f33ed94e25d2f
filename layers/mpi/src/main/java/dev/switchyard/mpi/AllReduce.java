package dev.switchyard.mpi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The sum as the MPI library computes it. */
final class AllReduce implements Exchange {
  private final Collective line;
  private final MemorySegment floats;
  private final MemorySegment sums; // Open MPI has no fast way to sum in place

  /**
   * @param elements of the bucket
   */
  AllReduce(Collective line, int elements) {
    this.line = line;
    this.floats = Arena.ofAuto().allocate((long) Float.BYTES * elements, Float.BYTES);
    this.sums = Arena.ofAuto().allocate(floats.byteSize(), Float.BYTES);
  }

  @Override
  public MemorySegment shard(int index) {
    return floats;
  }

  @Override
  public void encode(long step) {}

  @Override
  public Collective.Pending send() {
    return line.startSum(floats, sums);
  }

  @Override
  public void addUp() {}

  @Override
  public Collective.Pending sendSum() {
    return SingleProcess.DONE; // all was done in the first
  }

  @Override
  public void keepLosses() {}

  @Override
  public MemorySegment sum() {
    return sums;
  }

  /** What the best algorithms send: each element but a process's own part, there and back. */
  @Override
  public long bytes() {
    return 2 * floats.byteSize() * (line.size() - 1) / line.size();
  }
}
