package dev.switchyard.bench.processes;

import dev.switchyard.mpi.Agreement;
import dev.switchyard.mpi.Collective;
import dev.switchyard.mpi.Mpi;
import dev.switchyard.mpi.SingleProcess;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;

/** The processes that run this command: those that mpirun started, or this one alone. */
public final class Processes {
  private static final long POLL_NANOS = 20_000_000;

  private static Mpi joined; // MPI is started once a JVM

  private final Collective collective;
  private final String title;

  Processes(Collective collective, String title) {
    this.collective = collective;
    this.title = title;
  }

  /** This process alone. */
  public static Processes alone() {
    return new Processes(new SingleProcess(), "");
  }

  /**
   * The processes of mpirun, if it started this one; refuses one with other options.
   *
   * @param command that all of them run
   * @throws dev.switchyard.mpi.CollectiveException if they cannot be joined, or one differs
   */
  public static Processes join(CommandSpec command) {
    Processes processes = join();
    Map<String, String> all = new LinkedHashMap<>();
    String version = Processes.class.getPackage().getImplementationVersion();
    all.put("version", version == null ? "(not built as a jar)" : version);
    all.put("command", command.qualifiedName());
    all.putAll(SharedOptions.of(command));
    processes.requireSame(all);
    return processes;
  }

  private static synchronized Processes join() {
    if (!Mpi.isLaunched()) {
      return alone();
    }
    joined = joined == null ? Mpi.join() : joined;
    return new Processes(joined, joined.title());
  }

  /**
   * Leaves the other processes after success, and ends them after a failure: they would wait for
   * this one.
   */
  public static synchronized void leave(int exitCode) {
    if (joined != null && exitCode != 0) {
      joined.abort(exitCode);
    } else if (joined != null) {
      joined.close();
      joined = null;
    }
  }

  /** Which process this is, for messages; nothing for one alone. */
  public static synchronized String name() {
    return joined == null || joined.size() == 1 ? "" : "process " + joined.rank() + ": ";
  }

  /** What exchanges. */
  public Collective collective() {
    return collective;
  }

  /** How many. */
  public int count() {
    return collective.size();
  }

  /** The MPI library; empty without one. */
  public String title() {
    return title;
  }

  /** Whether this is the one that shows, reports and saves. */
  public boolean isFirst() {
    return collective.rank() == 0;
  }

  /** Where to write what is to be read once. */
  public PrintWriter console(PrintWriter console) {
    return isFirst() ? console : new PrintWriter(PrintWriter.nullWriter());
  }

  /** Whether it is so in any process. */
  public boolean any(boolean here) {
    double[] count = {here ? 1 : 0};
    collective.sum(count);
    return count[0] > 0;
  }

  /**
   * Has the first process work alone; the others sleep meanwhile, where waiting for a message would
   * keep their processors busy.
   */
  public void onFirst(Runnable work) {
    if (isFirst()) {
      work.run();
    }
    Arena arena = Arena.ofAuto();
    Collective.Pending end =
        collective.startSum(arena.allocate(Float.BYTES), arena.allocate(Float.BYTES));
    while (!isFirst() && !end.isDone()) {
      LockSupport.parkNanos(POLL_NANOS);
    }
    end.await();
  }

  /**
   * Refuses processes that differ.
   *
   * @param facts that have to be the same everywhere
   * @throws dev.switchyard.mpi.CollectiveException if one has another
   */
  public void requireSame(Map<String, String> facts) {
    Agreement.require(collective, facts);
  }

  /**
   * Says where processes compute with another backend than the first: their floats are rounded in
   * another way, so that what each computes of the same numbers drifts apart.
   *
   * @param backend of this process
   * @param warnings is told once
   */
  public void warnOfOtherBackends(String backend, Consumer<String> warnings) {
    List<byte[]> all = collective.gather(backend.getBytes(StandardCharsets.UTF_8));
    String first = new String(all.getFirst(), StandardCharsets.UTF_8);
    for (int rank = 1; rank < all.size() && isFirst(); rank++) {
      String other = new String(all.get(rank), StandardCharsets.UTF_8);
      if (!other.equals(first)) {
        warnings.accept(
            String.format(
                Locale.ROOT,
                "process %d computes with the backend %s but process 0 with %s, which round floats"
                    + " in other ways: their parameters will not stay the same to the last bit"
                    + " (-Dswitchyard.backend=NAME sets one for all)",
                rank,
                other,
                first));
      }
    }
  }
}
