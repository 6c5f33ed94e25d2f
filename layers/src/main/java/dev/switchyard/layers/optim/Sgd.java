package dev.switchyard.layers.optim;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.Moments.Slot;
import java.util.List;
import java.util.Map;

/**
 * Stochastic gradient descent with momentum (Polyak 1964) and decoupled weight decay (Loshchilov
 * and Hutter 2019, algorithm 1). For each parameter w with gradient g:
 *
 * <pre>
 *   m = momentum m + g      w = w (1 - lr decay) - lr m
 * </pre>
 *
 * It keeps one number a weight, where {@link AdamW} keeps two.
 */
public final class Sgd implements Optimizer {
  /**
   * Hyper-parameters.
   *
   * @param momentum share of the moment that stays, in [0, 1); 0 for plain gradient descent
   * @param decay decoupled weight decay, 0 or more
   */
  public record Settings(float momentum, float decay) {
    /** The usual momentum, and no decay. */
    public static final Settings DEFAULT = new Settings(0.9f, 0);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of its range or not a number
     */
    public Settings {
      Requirement.beta("momentum", momentum);
      Requirement.notNegative("decay", decay);
    }
  }

  /** Elements that a thread updates at a time. */
  private static final int RUN = 1 << 14;

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
  public Sgd(Kernels kernels, List<Parameter> parameters, Settings settings) {
    this(settings, kernels, ParameterGroup.byDecay(parameters, settings.decay()));
  }

  private Sgd(Settings settings, Kernels kernels, List<ParameterGroup> groups) {
    this.kernels = kernels;
    this.settings = settings;
    this.moments = new Moments(kernels, groups, false);
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
  public static Sgd ofGroups(Kernels kernels, List<ParameterGroup> groups, Settings settings) {
    return new Sgd(settings, kernels, groups);
  }

  @Override
  public String algorithm() {
    return "SGD";
  }

  @Override
  public void step(float learningRate) {
    moments.step(learningRate, this::update);
  }

  private void update(Slot slot, float rate) {
    float[] w = slot.w();
    float keep = 1 - rate * slot.decay;
    kernels
        .parallel()
        .forEach(
            Math.ceilDiv(w.length, RUN),
            run -> {
              int end = (int) Math.min(w.length, (run + 1L) * RUN);
              update(w, slot.g(), slot.m, run * RUN, end, settings.momentum(), keep, rate);
            });
  }

  /** A loop of which C2 makes vectors. */
  private static void update(
      float[] w, float[] g, float[] m, int from, int to, float momentum, float keep, float rate) {
    for (int i = from; i < to; i++) {
      m[i] = momentum * m[i] + g[i];
      w[i] = keep * w[i] - rate * m[i];
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

  /**
   * Counts the steps for the monitor, which is told of no updates: all it says is of a variance.
   */
  @Override
  public void setMonitor(StabilityMonitor monitor) {
    moments.setMonitor(monitor);
  }
}
