package dev.switchyard.kernels.backend.x86;

/** Emitted code cannot run here; the message is the rest of a sentence that begins "because". */
public final class Unavailable extends Exception {
  private static final long serialVersionUID = 1;

  Unavailable(String reason) {
    super(reason);
  }

  Unavailable(String reason, Throwable cause) {
    super(reason, cause);
  }
}
