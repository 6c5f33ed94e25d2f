package dev.switchyard.bench.train;

import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;

/**
 * Ctrl-C, or another polite request to end: the JVM does not stop before {@link #close()}, so that
 * what runs can notice, save its work and say so. The exit code is the system's, 130 for Ctrl-C.
 */
public final class Interruption implements BooleanSupplier, AutoCloseable {
  /** What a command returns that has left its work undone, as shells report Ctrl-C. */
  public static final int EXIT_CODE = 130;

  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook = new Thread(this::request, "interruption");
  private final Runnable onRequest;
  private volatile boolean requested;

  /**
   * Waits for requests from now on.
   *
   * @param onRequest told at once, while the work goes on
   */
  public Interruption(Runnable onRequest) {
    this.onRequest = onRequest;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void request() {
    requested = true;
    onRequest.run();
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
