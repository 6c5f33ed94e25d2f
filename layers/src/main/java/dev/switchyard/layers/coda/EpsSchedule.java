package dev.switchyard.layers.coda;

/**
 * The temperature of {@link SoftTopK} over the steps of a training: {@code max(last, first
 * decay^step)}. A large eps lets many tokens compete, and the router hear from them; a small one
 * brings weights near 0 and 1. The papers take 0.03 for text and 1 for speech.
 *
 * @param first at step 0
 * @param decay from step to step
 * @param last what it ends at
 */
public record EpsSchedule(double first, double decay, double last) {
  /** Its inverse, and scores divided by it, are floats. */
  private static final double SMALLEST = 1e-30;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if a temperature is not positive, the decay not in (0, 1], or
   *     the first temperature below the last
   */
  public EpsSchedule {
    requirePositive("first eps", first);
    requirePositive("last eps", last);
    if (!(decay > 0 && decay <= 1)) {
      throw new IllegalArgumentException("decay is " + decay + " (expected more than 0, to 1)");
    }
    if (first < last) {
      throw new IllegalArgumentException(
          "first eps is " + first + " but last is " + last + " (expected first to be larger)");
    }
  }

  static void requirePositive(String name, double eps) {
    if (!(eps >= SMALLEST && eps < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          name + " is " + eps + " (expected a number from " + SMALLEST + " on)");
    }
  }

  /**
   * The same at all steps.
   *
   * @param eps the temperature
   * @return the schedule
   */
  public static EpsSchedule constant(double eps) {
    return new EpsSchedule(eps, 1, eps);
  }

  /**
   * The temperature at a step.
   *
   * @param step from 0
   * @return eps
   */
  public double at(long step) {
    return Math.max(last, first * Math.pow(decay, (double) step));
  }
}
