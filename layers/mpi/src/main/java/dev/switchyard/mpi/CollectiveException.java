package dev.switchyard.mpi;

/** Processes that cannot work together, or cannot go on doing so; the message says why. */
public final class CollectiveException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  CollectiveException(String message) {
    super(message);
  }

  CollectiveException(String message, Throwable cause) {
    super(message, cause);
  }
}
