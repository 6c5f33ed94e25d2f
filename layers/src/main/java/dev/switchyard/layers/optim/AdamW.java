package dev.switchyard.layers.optim;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.Moments.Slot;
import java.util.List;
import java.util.Map;

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2). For each parameter w with gradient g, at its
 * t-th step:
 *
 * <pre>
 *   m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
 *   w = w (1 - lr decay) - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 * </pre>
 *
 * With {@link StableAdamW}, which keeps the update from growing when v falls behind, one seldom
 * needs it; it is here to be compared with.
 */
public final class AdamW implements Optimizer {
  /**
   * Hyper-parameters.
   *
   * @param beta1 decay of the mean of gradients, in [0, 1)
   * @param beta2 decay of the mean of squared gradients, in [0, 1)
   * @param eps keeps the divisor from zero, more than 0
   * @param decay decoupled weight decay, 0 or more
   */
  public record Settings(float beta1, float beta2, float eps, float decay) {
    /** The values of Kingma and Ba (2015), and a decay of 0.01. */
    public static final Settings DEFAULT = new Settings(0.9f, 0.999f, 1e-8f, 0.01f);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of its range or not a number
     */
    public Settings {
      Requirement.beta("beta1", beta1);
      Requirement.beta("beta2", beta2);
      Requirement.that("eps", eps, eps > 0 && Float.isFinite(eps), "more than 0");
      Requirement.notNegative("decay", decay);
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
  public AdamW(Kernels kernels, List<Parameter> parameters, Settings settings) {
    this(settings, kernels, ParameterGroup.byDecay(parameters, settings.decay()));
  }

  private AdamW(Settings settings, Kernels kernels, List<ParameterGroup> groups) {
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
  public static AdamW ofGroups(Kernels kernels, List<ParameterGroup> groups, Settings settings) {
    return new AdamW(settings, kernels, groups);
  }

  @Override
  public String algorithm() {
    return "AdamW";
  }

  @Override
  public void step(float learningRate) {
    moments.step(learningRate, this::update);
  }

  private void update(Slot slot, float rate) {
    float[] w = slot.w();
    kernels
        .elementwise()
        .adamW(
            w,
            slot.g(),
            slot.m,
            slot.v,
            w.length,
            slot.step,
            rate,
            settings.beta1(),
            settings.beta2(),
            settings.eps(),
            slot.decay);
    if (moments.monitor() != null) {
      double correction1 = 1 - Math.pow(settings.beta1(), slot.step);
      double correction2 = 1 - Math.pow(settings.beta2(), slot.step);
      moments
          .monitor()
          .observe(slot, settings.beta1(), correction1, correction2, settings.eps(), rate);
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
