package dev.switchyard.layers.optim;

/**
 * A learning rate that rises linearly and then falls as half a cosine (Loshchilov and Hutter 2017,
 * without restarts). With w and n the warm-up and all steps, and steps counted from 0:
 *
 * <pre>
 *   rate(s) = peak (s + 1) / w                                             s &lt; w
 *           = floor + (peak - floor) (1 + cos(pi (s - w) / (n - w))) / 2   w &lt;= s &lt; n
 *           = floor                                                        s &gt;= n
 * </pre>
 *
 * @param peak the highest rate
 * @param floor the rate at the end
 * @param warmup steps of the rise, 0 or more
 * @param steps all steps, at least {@code warmup}
 */
public record WarmupCosine(float peak, float floor, int warmup, int steps) {
  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is out of its range or not a number
   */
  public WarmupCosine {
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
    return (float) (floor + (peak - floor) * (1 + Math.cos(Math.PI * progress)) / 2);
  }
}
