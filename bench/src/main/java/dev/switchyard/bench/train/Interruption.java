package dev.switchyard.bench.train;

import dev.switchyard.bench.processes.Processes;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;

/**
 * Ctrl-C, or another polite request to end: the JVM does not stop before {@link #close()}, so that
 * what runs can notice, save its work and say so. The exit code is the system's, 130 for Ctrl-C.
 */
public final class Interruption implements BooleanSupplier, AutoCloseable {
  private static final int EXIT_CODE = 130; // as shells report Ctrl-C

  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook = new Thread(this::request, "interruption");
  private final Processes processes;
  private final PrintWriter err;
  private final Path saved;
  private volatile boolean requested;

  /**
   * Waits for requests from now on.
   *
   * @param processes that are interrupted together
   * @param err told of a request at once where other processes may end before their work is saved
   * @param saved where the work is saved
   */
  public Interruption(Processes processes, PrintWriter err, Path saved) {
    this.processes = processes;
    this.err = err;
    this.saved = saved;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void request() {
    requested = true;
    // Of several processes, one that has ended takes the others along, wherever they are.
    if (processes.count() > 1 && processes.isFirst()) {
      err.printf(
          Locale.ROOT,
          "%nTold to end, by Ctrl-C or because another process has ended. What is saved is in"
              + " %s: the same command with --resume goes on from there.%n",
          saved);
      err.flush();
    }
    try {
      closed.await();
    } catch (InterruptedException e) { // nobody does; the JVM stops then
      Thread.currentThread().interrupt();
    }
  }

  /** Whether someone wants an end. */
  @Override
  public boolean getAsBoolean() {
    return requested;
  }

  /**
   * Says that the work is saved, when it is.
   *
   * @return what the command returns
   */
  public int leave(PrintWriter console) {
    console.printf(
        Locale.ROOT,
        "%nInterrupted. What is done is saved in %s: the same command with --resume goes on with"
            + " it.%n",
        saved);
    console.flush();
    Processes.leave(0); // before the JVM ends
    return EXIT_CODE;
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // It runs already, and ends now.
    }
  }
}
