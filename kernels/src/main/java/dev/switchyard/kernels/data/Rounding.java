package dev.switchyard.kernels.data;

/**
 * How a scaled value becomes an integer.
 *
 * @param stochastic false: to the nearest, ties to even; true: up with a probability equal to the
 *     fraction, so that the expected result is the value itself
 * @param seed of the stochastic draws; the draw for element (i, j) depends on seed, i and j alone
 */
public record Rounding(boolean stochastic, long seed) {
  /** To the nearest integer, ties to even. */
  public static final Rounding NEAREST_EVEN = new Rounding(false, 0);

  /**
   * Unbiased stochastic rounding. Use another seed for each matrix and step.
   *
   * @param seed of the draws
   * @return the rounding
   */
  public static Rounding stochastic(long seed) {
    return new Rounding(true, seed);
  }
}
