package dev.switchyard.kernels.backend.emitted;

/** Emitted code cannot run here; the message is the rest of a sentence that begins "because". */
public final class Unavailable extends Exception {
  private static final long serialVersionUID = 1;

  public Unavailable(String reason) {
    super(reason);
  }

  public Unavailable(String reason, Throwable cause) {
    super(reason, cause);
  }
}
