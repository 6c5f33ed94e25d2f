package dev.switchyard.mpi;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** One process that has nobody to exchange anything with, so that one program serves both cases. */
public final class SingleProcess implements Collective {
  static final Pending DONE =
      new Pending() {
        @Override
        public boolean isDone() {
          return true;
        }

        @Override
        public void await() {}
      };

  /** A process alone. */
  public SingleProcess() {}

  @Override
  public int rank() {
    return 0;
  }

  @Override
  public int size() {
    return 1;
  }

  @Override
  public void barrier() {}

  @Override
  public void sum(double[] values) {}

  @Override
  public List<byte[]> gather(byte[] mine) {
    return List.of(mine.clone());
  }

  @Override
  public void broadcast(int root, MemorySegment data) {}

  @Override
  public Pending startSum(MemorySegment send, MemorySegment receive) {
    receive.copyFrom(send);
    return DONE;
  }

  @Override
  public Pending startExchange(MemorySegment send, MemorySegment receive) {
    receive.copyFrom(send);
    return DONE;
  }

  @Override
  public Pending startGather(MemorySegment send, MemorySegment receive) {
    receive.copyFrom(send);
    return DONE;
  }

  @Override
  public Collective duplicate() {
    return this;
  }

  @Override
  public void abort(int exitCode) {
    Runtime.getRuntime().halt(exitCode);
  }

  @Override
  public void close() {}
}
