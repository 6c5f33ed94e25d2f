package dev.switchyard.mpi;

/**
 * A step that all processes have abandoned together, because it failed on one of them; the message
 * says on which and why. No process has a gradient of it, and all can go on with the next step: see
 * {@link DataParallel}.
 */
public final class AbandonedStepException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  AbandonedStepException(String message) {
    super(message);
  }
}
