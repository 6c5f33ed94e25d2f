package dev.switchyard.layers.optim;

import java.util.Objects;

/**
 * The learning rate of each step: it rises linearly, and then falls as far as a floor. With w and n
 * the warm-up and all steps, and steps counted from 0:
 *
 * <pre>
 *   rate(s) = peak (s + 1) / w                                   s &lt; w
 *           = floor + (peak - floor) left((s - w) / (n - w))     w &lt;= s &lt; n
 *           = floor                                              s &gt;= n
 * </pre>
 *
 * @param peak the highest rate
 * @param floor the rate at the end
 * @param warmup steps of the rise, 0 or more
 * @param steps all steps, at least {@code warmup}
 * @param decay how it falls
 */
public record Schedule(float peak, float floor, int warmup, int steps, Decay decay) {
  /** How much of the way to the floor is left after a part of the steps. */
  public enum Decay {
    /** {@code left(t) = 1 - t}. */
    LINEAR,
    /**
     * Half a cosine, {@code left(t) = (1 + cos(pi t)) / 2} (Loshchilov and Hutter 2017, without
     * restarts).
     */
    COSINE;

    private double left(double progress) {
      return switch (this) {
        case LINEAR -> 1 - progress;
        case COSINE -> (1 + Math.cos(Math.PI * progress)) / 2;
      };
    }
  }

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is out of its range or not a number
   */
  public Schedule {
    Objects.requireNonNull(decay, "decay");
    if (!(floor >= 0 && floor <= peak && Float.isFinite(peak))) {
      throw new IllegalArgumentException(
          "peak is " + peak + " and floor is " + floor + " (expected 0 <= floor <= peak)");
    }
    if (warmup < 0 || steps < warmup) {
      throw new IllegalArgumentException(
          "warmup is " + warmup + " and steps is " + steps + " (expected 0 <= warmup <= steps)");
    }
  }

  /**
   * The same rate in every step.
   *
   * @param rate 0 or more
   * @return the schedule
   * @throws IllegalArgumentException if the rate is out of its range or not a number
   */
  public static Schedule constant(float rate) {
    return new Schedule(rate, rate, 0, 0, Decay.LINEAR);
  }

  /**
   * A rise, and a straight fall to 0.
   *
   * @param peak the highest rate
   * @param warmup steps of the rise, 0 or more
   * @param steps all steps, at least {@code warmup}
   * @return the schedule
   * @throws IllegalArgumentException if a value is out of its range or not a number
   */
  public static Schedule linear(float peak, int warmup, int steps) {
    return new Schedule(peak, 0, warmup, steps, Decay.LINEAR);
  }

  /**
   * A rise, and a fall to 0 as half a cosine.
   *
   * @param peak the highest rate
   * @param warmup steps of the rise, 0 or more
   * @param steps all steps, at least {@code warmup}
   * @return the schedule
   * @throws IllegalArgumentException if a value is out of its range or not a number
   */
  public static Schedule cosine(float peak, int warmup, int steps) {
    return new Schedule(peak, 0, warmup, steps, Decay.COSINE);
  }

  /**
   * The learning rate of a step.
   *
   * @param step counted from 0
   * @return the rate
   * @throws IllegalArgumentException if the step is negative
   */
  public float rate(int step) {
    if (step < 0) {
      throw new IllegalArgumentException("step is " + step + " (expected 0 or more)");
    }
    if (step < warmup) {
      return (float) (peak * (step + 1.0) / warmup);
    }
    if (step >= steps) {
      return floor;
    }
    double progress = (double) (step - warmup) / (steps - warmup);
    return (float) (floor + (peak - floor) * decay.left(progress));
  }
}
