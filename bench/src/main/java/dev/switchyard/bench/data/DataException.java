package dev.switchyard.bench.data;

/**
 * A data file that is missing, truncated, corrupt or not what it should be.
 *
 * <p>The message is one sentence for the user of the command, who can act on it; it names the file,
 * what was found and what was expected.
 */
public final class DataException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** An exception with a sentence for the user. */
  public DataException(String message) {
    super(message);
  }

  /** An exception with a sentence for the user, and what led to it. */
  public DataException(String message, Throwable cause) {
    super(message, cause);
  }
}
