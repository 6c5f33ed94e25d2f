package dev.switchyard.kernels.data;

/**
 * A number is infinite or NaN where that cannot be computed with, and the policy is {@link
 * NonFinitePolicy#REJECT}. The message says which number and where it is.
 */
public final class NonFiniteException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * An exception.
   *
   * @param message which number is not finite, where it is, and what is expected
   */
  public NonFiniteException(String message) {
    super(message);
  }

  /**
   * An exception that says more of another.
   *
   * @param message which number is not finite, where it is, and what is expected
   * @param cause what was said of it
   */
  public NonFiniteException(String message, NonFiniteException cause) {
    super(message, cause);
  }
}
