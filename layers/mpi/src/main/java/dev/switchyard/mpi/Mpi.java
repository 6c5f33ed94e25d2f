package dev.switchyard.mpi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The processes that {@code mpirun} started, by way of the MPI library of the machine: Open MPI 4
 * or 5, MPICH, or one that is compatible with it. The library is found by name, as the launcher
 * implies; {@code -Dswitchyard.mpi=PATH} names another.
 *
 * <p>MPI is started once a process, and the thread that starts it is the one that may use it
 * ({@code MPI_THREAD_FUNNELED}).
 */
public final class Mpi implements Collective {
  private static final String PROPERTY = "switchyard.mpi";
  private static final int CHUNK = 1 << 20; // bytes of a broadcast at a time

  private final MpiCalls calls;
  private final MpiLibrary library;
  private final Thread owner;
  private final long line;
  private final Mpi world; // of which this is a duplicate; null if it is none
  private final int rank;
  private final int size;
  private final MemorySegment chunk = Arena.ofAuto().allocate(CHUNK);
  private boolean open = true;

  private Mpi(MpiLibrary library, MpiCalls calls, long line, Mpi world) {
    this.library = library;
    this.calls = calls;
    this.owner = Thread.currentThread();
    this.line = line;
    this.world = world;
    this.rank = calls.rank();
    this.size = calls.size();
  }

  /**
   * Whether this process is one of several, started by {@code mpirun} or the like.
   *
   * @return false for a process that was started by itself
   */
  public static boolean isLaunched() {
    return Launcher.find(System.getenv()).isPresent();
  }

  /**
   * Joins the other processes.
   *
   * @return the processes; to be closed by all of them, see {@link #run}
   * @throws CollectiveException if this process was not started by a launcher of MPI, the JVM may
   *     not call native code, no library is found, or it is another than the launcher's
   */
  public static Mpi join() {
    Launcher launcher =
        Launcher.find(System.getenv())
            .orElseThrow(
                () ->
                    new CollectiveException(
                        "this process was started by itself (expected several, as in mpirun -np 2"
                            + " java ...)"));
    Module module = Mpi.class.getModule();
    if (!module.isNativeAccessEnabled()) {
      throw new CollectiveException(
          String.format(
              Locale.ROOT,
              "this JVM may not call an MPI library (expected the flag --enable-native-access=%s)",
              module.isNamed() ? module.getName() : "ALL-UNNAMED"));
    }
    MpiCalls calls =
        start(
            () ->
                MpiLibrary.open(
                    Optional.ofNullable(System.getProperty(PROPERTY))
                        .map(List::of)
                        .orElse(launcher.libraries())));
    MpiLibrary library = calls.library();
    Mpi mpi = new Mpi(library, calls, library.abi().world(), null);
    if (launcher.size() > 0 && launcher.size() != mpi.size) {
      throw new CollectiveException(
          String.format(
              Locale.ROOT,
              "%s started %d processes but %s sees %d (expected the library of the launcher)",
              launcher.name(),
              launcher.size(),
              library.title(),
              mpi.size));
    }
    return mpi;
  }

  /**
   * Starts MPI. The JVM has its own handlers of signals afterwards, whether it has started or not.
   */
  static MpiCalls start(Supplier<MpiLibrary> library) {
    JvmSignals signals = new JvmSignals();
    try {
      MpiCalls calls = new MpiCalls(library.get());
      calls.start();
      return calls;
    } finally {
      signals.restore();
    }
  }

  /** What a process does, see {@link #run}. */
  @FunctionalInterface
  public interface Program {
    /**
     * Does it.
     *
     * @param processes all of them; a {@link SingleProcess} where a program was started alone
     * @throws Exception to end all of them
     */
    void run(Collective processes) throws Exception;
  }

  /**
   * Joins the other processes, runs a program and leaves. If the program throws, its exception goes
   * to the handler of uncaught exceptions, which prints it, and all processes end at once with exit
   * code 1, since they would wait for this one for ever.
   *
   * @param program what this process does
   * @throws CollectiveException as {@link #join}
   */
  public static void run(Program program) {
    Mpi mpi = join();
    try {
      program.run(mpi);
      mpi.close();
    } catch (Throwable e) {
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
      mpi.abort(1);
    }
  }

  /**
   * The library.
   *
   * @return its name, version and file
   */
  public String title() {
    return library.title();
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
    requireUsable();
    calls.barrier(line);
  }

  @Override
  public void sum(double[] values) {
    requireUsable();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocateFrom(JAVA_DOUBLE, values);
      calls.sumDoubles(copy, line);
      MemorySegment.copy(copy, JAVA_DOUBLE, 0, values, 0, values.length);
    }
  }

  @Override
  public List<byte[]> gather(byte[] mine) {
    double[] lengths = new double[size];
    lengths[rank] = mine.length;
    sum(lengths);
    int longest = (int) Arrays.stream(lengths).max().orElseThrow();
    List<byte[]> all = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment send = arena.allocate(longest);
      MemorySegment receive = arena.allocate((long) size * longest);
      MemorySegment.copy(mine, 0, send, JAVA_BYTE, 0, mine.length);
      startGather(send, receive).await();
      for (int from = 0; from < size; from++) {
        byte[] part = new byte[(int) lengths[from]];
        MemorySegment.copy(receive, JAVA_BYTE, (long) from * longest, part, 0, part.length);
        all.add(part);
      }
    }
    return all;
  }

  @Override
  public void broadcast(int root, MemorySegment data) {
    requireUsable();
    boolean staged = !data.isNative();
    for (long at = 0; at < data.byteSize(); at += CHUNK) {
      MemorySegment part = data.asSlice(at, Math.min(CHUNK, data.byteSize() - at));
      MemorySegment sent = staged ? chunk.asSlice(0, part.byteSize()) : part;
      if (staged && rank == root) {
        sent.copyFrom(part);
      }
      calls.broadcast(root, sent, line);
      if (staged && rank != root) {
        part.copyFrom(sent);
      }
    }
  }

  @Override
  public Pending startSum(MemorySegment send, MemorySegment receive) {
    requireParts(send, receive, 1, 1);
    Request request = new Request(send, receive);
    calls.startSum(send, receive, line, request.handle);
    return request;
  }

  @Override
  public Pending startExchange(MemorySegment send, MemorySegment receive) {
    requireParts(send, receive, size, size);
    Request request = new Request(send, receive);
    calls.startExchange(send, receive, size, line, request.handle);
    return request;
  }

  @Override
  public Pending startGather(MemorySegment send, MemorySegment receive) {
    requireParts(send, receive, 1, size);
    Request request = new Request(send, receive);
    calls.startGather(send, receive, size, line, request.handle);
    return request;
  }

  private void requireParts(MemorySegment send, MemorySegment receive, int from, int to) {
    requireUsable();
    if (send.byteSize() % from != 0 || send.byteSize() / from * to != receive.byteSize()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d bytes to send and %d to receive (expected %d and %d equal parts)",
              send.byteSize(),
              receive.byteSize(),
              from,
              to));
    }
    if (receive.isReadOnly() || send.asOverlappingSlice(receive).isPresent()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s cannot receive what %s sends (expected memory that can be written, apart from"
                  + " what is sent)",
              receive,
              send));
    }
  }

  @Override
  public Collective duplicate() {
    requireUsable();
    return new Mpi(library, calls, calls.duplicate(line), world == null ? this : world);
  }

  /** Ends all processes at once; from any thread, since nothing works afterwards. */
  @Override
  public void abort(int exitCode) {
    calls.abort(exitCode);
  }

  @Override
  public void close() {
    if (!isOpen()) {
      return;
    }
    requireUsable();
    open = false;
    if (world == null) {
      calls.end();
    } else {
      calls.free(line);
    }
  }

  private boolean isOpen() {
    return open && (world == null || world.open);
  }

  /** MPI itself would crash the process, or worse. */
  private void requireUsable() {
    if (!isOpen()) {
      throw new IllegalStateException(
          world == null || !world.open
              ? "this process has left the others: it was closed"
              : "this line between the processes was closed");
    }
    if (Thread.currentThread() != owner) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "thread %s exchanges data but MPI was started by thread %s (expected the same)",
              Thread.currentThread().getName(),
              owner.getName()));
    }
  }

  /** A request of MPI. */
  private final class Request implements Pending {
    private final MemorySegment handle = Arena.ofAuto().allocate(MpiAbi.REQUEST);
    private final MemorySegment flag = Arena.ofAuto().allocate(JAVA_INT);
    private List<MemorySegment> memory; // which the library reads and writes until it is done

    Request(MemorySegment... memory) {
      this.memory = List.of(memory);
    }

    @Override
    public boolean isDone() {
      requireUsable();
      if (!memory.isEmpty() && calls.isDone(handle, flag)) {
        memory = List.of();
      }
      return memory.isEmpty();
    }

    @Override
    public void await() {
      requireUsable();
      if (!memory.isEmpty()) {
        calls.await(handle);
        memory = List.of();
      }
    }
  }
}
