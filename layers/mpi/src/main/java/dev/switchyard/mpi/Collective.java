package dev.switchyard.mpi;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Processes that run the same program and exchange data. Every method that exchanges is called by
 * all of them, in the same order and with the same sizes; each waits for the others.
 *
 * <p>It is no {@link AutoCloseable}: a {@code try} that an exception ends would leave in an orderly
 * way, which waits for the others, who wait for this process. After a failure a process calls
 * {@link #abort}, as {@link Mpi#run} does.
 *
 * <p>For use by the thread that made it.
 */
public interface Collective {
  /** An exchange under way; its memory belongs to it until it is done. */
  interface Pending {
    /**
     * Goes on with the exchange as far as it goes without waiting.
     *
     * @return whether it is done
     */
    boolean isDone();

    /** Waits until it is done. */
    void await();
  }

  /**
   * Which of the processes this is.
   *
   * @return from 0 to {@link #size()} - 1
   */
  int rank();

  /**
   * How many processes there are.
   *
   * @return 1 or more
   */
  int size();

  /** Waits until all processes have come here. */
  void barrier();

  /**
   * Adds up over all processes.
   *
   * @param values what this process adds; receives the sums
   */
  void sum(double[] values);

  /**
   * Collects what each process has to say.
   *
   * @param mine what this one has; of any length
   * @return one array a process, in the order of ranks
   */
  List<byte[]> gather(byte[] mine);

  /**
   * Copies from one process to all others.
   *
   * @param root the process that has the data
   * @param data what to send or where to receive, on the heap or native; as long everywhere
   */
  void broadcast(int root, MemorySegment data);

  /**
   * Begins to add up over all processes. The sums have the same bits everywhere; in which order is
   * added is for the library to say.
   *
   * @param send native memory, floats
   * @param receive as much, apart from {@code send}; receives the sums
   * @return the exchange
   */
  Pending startSum(MemorySegment send, MemorySegment receive);

  /**
   * Begins to send to each process a part of its own (all-to-all).
   *
   * @param send native memory, a part for each process, all of one size
   * @param receive as much, receives a part from each
   * @return the exchange
   */
  Pending startExchange(MemorySegment send, MemorySegment receive);

  /**
   * Begins to send the same to each process (all-gather).
   *
   * @param send native memory
   * @param receive {@link #size()} times as much, receives a part from each
   * @return the exchange
   */
  Pending startGather(MemorySegment send, MemorySegment receive);

  /**
   * Another line between the same processes: only exchanges on one line have to be begun in the
   * same order everywhere.
   *
   * @return the line; it ends with this collective, unless it is closed before, by all processes
   */
  Collective duplicate();

  /**
   * Ends all processes at once, for one that cannot go on.
   *
   * @param exitCode theirs, not 0
   */
  void abort(int exitCode);

  /**
   * Leaves, or gives back a line. All processes do, and none exchanges anything there afterwards; a
   * process that leaves may wait until the others do.
   */
  void close();
}
