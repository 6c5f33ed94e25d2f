package dev.switchyard.kernels.data;

/**
 * What is done about a number that is not finite; none ever turns silently into one that is.
 *
 * <p>It is set once, with {@code Kernels.withNonFinite}, and holds for all that computes with these
 * kernels: quantizers, layers, losses and optimizers.
 */
public enum NonFinitePolicy {
  /**
   * Whoever notices it stops with a {@link NonFiniteException}, which says what and where: a
   * quantizer, a router, a loss, an optimizer before it changes a parameter.
   */
  REJECT,
  /**
   * It goes on, and so does the computation: all that depends on it is not finite either. A
   * quantizer gives the scale NaN to the row, column or tensor concerned, a row whose loss is not
   * finite has a gradient of NaN, and an optimizer skips the update of each parameter whose
   * gradient is not finite, and counts it.
   */
  PROPAGATE
}
