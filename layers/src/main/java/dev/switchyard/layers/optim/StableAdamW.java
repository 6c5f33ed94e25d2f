package dev.switchyard.layers.optim;

import dev.switchyard.kernels.Elementwise;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.Moments.Slot;
import java.util.List;
import java.util.Map;

/**
 * StableAdamW (Wortsman et al. 2023, algorithm 2): AdamW with the update clipping of Adafactor. For
 * each parameter w, a tensor, with gradient g, at its t-th step:
 *
 * <pre>
 *   b1 = beta1 (1 - beta1^(t - 1)) / (1 - beta1^t)       b2 likewise: no other correction of bias
 *   m = b1 m + (1 - b1) g          v = b2 v + (1 - b2) g^2
 *   RMS = sqrt(mean of g^2 / max(v, eps^2) over the tensor)
 *   rate = lr / max(1, RMS / threshold)
 *   w = w (1 - rate decay) - rate m / (sqrt(v) + eps)
 * </pre>
 *
 * RMS is about 1 while v follows the gradient; when gradients suddenly grow and v falls behind, RMS
 * rises, and with it would the update: the rate falls by as much. A gradient of zeros has an RMS of
 * 0 and moves nothing, which the zero-initialised gains of layer scale rely on.
 *
 * <p>eps bounds the divisor from below twice: outside of the root in the update, and squared in
 * RMS, so that elements whose gradients were always 0 count 0 there.
 */
public final class StableAdamW implements Optimizer {
  /**
   * Hyper-parameters.
   *
   * @param beta1 decay of the mean of gradients, in [0, 1)
   * @param beta2 decay of the mean of squared gradients, in [0, 1)
   * @param eps keeps the divisors from zero; its square is a normal float, so 1.1e-19 or more
   * @param decay decoupled weight decay, 0 or more
   * @param threshold the RMS from which on the rate is clipped, more than 0
   * @param clipsDecay whether the decay goes with the clipped rate, as the authors do it, or with
   *     the learning rate
   */
  public record Settings(
      float beta1, float beta2, float eps, float decay, float threshold, boolean clipsDecay) {
    /** The values of the authors, whose learning rate is 0.002. */
    public static final Settings DEFAULT = new Settings(0.9f, 0.99f, 1e-6f, 0.2f, 1, true);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of its range or not a number
     */
    public Settings {
      Requirement.beta("beta1", beta1);
      Requirement.beta("beta2", beta2);
      float square = eps * eps;
      boolean normal = eps > 0 && square >= Float.MIN_NORMAL && Float.isFinite(square);
      Requirement.that("eps", eps, normal, "1.1e-19 or more");
      Requirement.notNegative("decay", decay);
      Requirement.that(
          "threshold", threshold, threshold > 0 && Float.isFinite(threshold), "more than 0");
    }
  }

  private final Kernels kernels;
  private final Settings settings;
  private final Moments moments;

  /**
   * An optimizer at its first step. The decay applies only where {@link Parameter#decays()}.
   *
   * @param kernels what computes, and says what to do about gradients that are not finite
   * @param parameters what to optimize
   * @param settings hyper-parameters
   * @throws IllegalArgumentException if a name is listed twice
   */
  public StableAdamW(Kernels kernels, List<Parameter> parameters, Settings settings) {
    this(settings, kernels, ParameterGroup.byDecay(parameters, settings.decay()));
  }

  private StableAdamW(Settings settings, Kernels kernels, List<ParameterGroup> groups) {
    this.kernels = kernels;
    this.settings = settings;
    this.moments = new Moments(kernels, groups);
  }

  /**
   * An optimizer of groups at its first step.
   *
   * @param kernels what computes, and says what to do about gradients that are not finite
   * @param groups what to optimize; their decay takes the place of that of the settings
   * @param settings hyper-parameters
   * @return the optimizer
   * @throws IllegalArgumentException if a name is listed twice
   */
  public static StableAdamW ofGroups(
      Kernels kernels, List<ParameterGroup> groups, Settings settings) {
    return new StableAdamW(settings, kernels, groups);
  }

  @Override
  public String algorithm() {
    return "StableAdamW";
  }

  @Override
  public void step(float learningRate) {
    moments.step(learningRate, this::update);
  }

  private void update(Slot slot, float rate) {
    float[] w = slot.w();
    Elementwise elementwise = kernels.elementwise();
    double rms =
        elementwise.stableAdamWMoments(
            slot.g(),
            slot.m,
            slot.v,
            w.length,
            slot.step,
            settings.beta1(),
            settings.beta2(),
            settings.eps());
    float clipped = (float) (rate / Math.max(1, rms / settings.threshold()));
    float decay = slot.decay * (settings.clipsDecay() ? clipped : rate);
    elementwise.stableAdamWUpdate(w, slot.m, slot.v, w.length, decay, clipped, settings.eps());
    if (moments.monitor() != null) {
      double keep1 = 1 - (1 - settings.beta1()) / (1 - Math.pow(settings.beta1(), slot.step));
      moments.monitor().observe(slot, keep1, 1, 1, settings.eps(), clipped);
    }
  }

  @Override
  public void zeroGrad() {
    moments.zeroGrad();
  }

  @Override
  public Map<String, Long> skipped() {
    return moments.skipped();
  }

  @Override
  public List<MomentState> state() {
    return moments.state();
  }

  @Override
  public void restore(List<MomentState> states) {
    moments.restore(states);
  }

  @Override
  public void setMonitor(StabilityMonitor monitor) {
    moments.setMonitor(monitor);
  }
}
