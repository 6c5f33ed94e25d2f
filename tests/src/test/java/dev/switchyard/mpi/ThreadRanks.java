package dev.switchyard.mpi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Processes that are threads of this JVM. They are stricter than an MPI library: processes that
 * begin different exchanges on one line are told so, and nobody waits for ever.
 */
public final class ThreadRanks {
  private static final long PATIENCE_SECONDS = 30; // only a defect waits as long

  /** What each process does. */
  public interface Body {
    /** Does it. */
    void run(Collective collective) throws Exception;
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final int size;
  private int openLines;

  private ThreadRanks(int size) {
    this.size = size;
  }

  /**
   * Runs processes to the end of all.
   *
   * @return the lines that they left open
   */
  public static int run(int size, Body body) throws InterruptedException {
    ThreadRanks ranks = new ThreadRanks(size);
    Wire world = new Wire();
    Throwable[] failures = new Throwable[size];
    List<Thread> threads = new ArrayList<>();
    for (int rank = 0; rank < size; rank++) {
      int mine = rank;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      body.run(ranks.new Line(world, mine));
                    } catch (Throwable e) {
                      failures[mine] = e;
                    }
                  }));
    }
    AssertionError failure = null;
    for (int rank = 0; rank < size; rank++) {
      threads.get(rank).join();
      if (failures[rank] != null) {
        failure = failure == null ? new AssertionError("process " + rank, failures[rank]) : failure;
        failure.addSuppressed(failures[rank]);
      }
    }
    if (failure != null) {
      throw failure;
    }
    return ranks.openLines;
  }

  /** What a line is to all processes. */
  private static final class Wire {
    private final Map<Integer, Operation> operations = new HashMap<>();
    private final List<Wire> duplicates = new ArrayList<>();
  }

  /** An exchange of all processes. */
  private static final class Operation {
    private final String what;
    private final byte[][] sent;
    private int arrived;

    Operation(String what, int size) {
      this.what = what;
      this.sent = new byte[size][];
    }
  }

  /** A line as one process sees it. */
  private final class Line implements Collective {
    private final Wire wire;
    private final int rank;
    private int begun;
    private int duplicates;
    private boolean open = true;

    Line(Wire wire, int rank) {
      this.wire = wire;
      this.rank = rank;
    }

    private Operation begin(String what, byte[] sent) {
      lock.lock();
      try {
        if (!open) {
          throw new AssertionError("process " + rank + " begins " + what + " on a closed line");
        }
        Operation operation =
            wire.operations.computeIfAbsent(begun++, _ -> new Operation(what, size));
        if (!operation.what.equals(what)) {
          throw new AssertionError(
              "process " + rank + " begins " + what + " where another began " + operation.what);
        }
        operation.sent[rank] = sent;
        operation.arrived++;
        changed.signalAll();
        return operation;
      } finally {
        lock.unlock();
      }
    }

    private byte[][] await(Operation operation) {
      lock.lock();
      try {
        long nanos = TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (operation.arrived < size) {
          if (nanos <= 0) {
            throw new AssertionError("process " + rank + " waits for ever in " + operation.what);
          }
          nanos = changed.awaitNanos(nanos);
        }
        return operation.sent;
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      } finally {
        lock.unlock();
      }
    }

    private byte[][] exchange(String what, byte[] sent) {
      return await(begin(what, sent));
    }

    private static byte[] bytes(MemorySegment segment) {
      return segment.toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public int rank() {
      return rank;
    }

    @Override
    public int size() {
      return size;
    }

    @Override
    public void barrier() {
      exchange("a barrier", new byte[0]);
    }

    @Override
    public void sum(double[] values) {
      byte[][] all =
          exchange("a sum of " + values.length, bytes(MemorySegment.ofArray(values.clone())));
      Arrays.fill(values, 0);
      for (byte[] one : all) {
        for (int i = 0; i < values.length; i++) {
          values[i] += MemorySegment.ofArray(one).getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i);
        }
      }
    }

    @Override
    public List<byte[]> gather(byte[] mine) {
      return Arrays.stream(exchange("a gather", mine.clone())).map(byte[]::clone).toList();
    }

    @Override
    public void broadcast(int root, MemorySegment data) {
      byte[][] all = exchange("broadcast of " + data.byteSize() + " from " + root, bytes(data));
      data.copyFrom(MemorySegment.ofArray(all[root]));
    }

    @Override
    public Pending startSum(MemorySegment send, MemorySegment receive) {
      return new Started(
          begin("sums of " + send.byteSize(), bytes(send)),
          all -> {
            receive.fill((byte) 0);
            for (byte[] one : all) {
              for (long i = 0; i < receive.byteSize() / Float.BYTES; i++) {
                float term =
                    MemorySegment.ofArray(one).getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
                float sum = receive.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                receive.setAtIndex(ValueLayout.JAVA_FLOAT, i, sum + term);
              }
            }
          });
    }

    @Override
    public Pending startExchange(MemorySegment send, MemorySegment receive) {
      long part = send.byteSize() / size;
      return new Started(
          begin("exchange of " + send.byteSize(), bytes(send)),
          all -> {
            for (int from = 0; from < size; from++) {
              MemorySegment.copy(
                  MemorySegment.ofArray(all[from]), rank * part, receive, from * part, part);
            }
          });
    }

    @Override
    public Pending startGather(MemorySegment send, MemorySegment receive) {
      long part = send.byteSize();
      return new Started(
          begin("gather of " + part, bytes(send)),
          all -> {
            for (int from = 0; from < size; from++) {
              MemorySegment.copy(MemorySegment.ofArray(all[from]), 0, receive, from * part, part);
            }
          });
    }

    @Override
    public Collective duplicate() {
      lock.lock();
      try {
        if (wire.duplicates.size() == duplicates) {
          wire.duplicates.add(new Wire());
        }
        openLines++;
        return new Line(wire.duplicates.get(duplicates++), rank);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void abort(int exitCode) {
      throw new AssertionError("process " + rank + " ends all with " + exitCode);
    }

    @Override
    public void close() {
      lock.lock();
      try {
        openLines -= open ? 1 : 0;
        open = false;
      } finally {
        lock.unlock();
      }
    }

    /** An exchange under way. */
    private final class Started implements Pending {
      private final Operation operation;
      private final java.util.function.Consumer<byte[][]> receive;
      private boolean done;

      Started(Operation operation, java.util.function.Consumer<byte[][]> receive) {
        this.operation = operation;
        this.receive = receive;
      }

      @Override
      public boolean isDone() {
        lock.lock();
        try {
          if (operation.arrived < size) {
            return false;
          }
        } finally {
          lock.unlock();
        }
        await();
        return true;
      }

      @Override
      public void await() {
        byte[][] all = Line.this.await(operation);
        if (!done) {
          receive.accept(all);
          done = true;
        }
      }
    }
  }
}
