package dev.switchyard.layers.optim;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Parameter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2). For each parameter w with gradient g, at its
 * t-th step:
 *
 * <pre>
 *   m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
 *   w = w (1 - lr decay) - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 * </pre>
 *
 * The decay applies only where {@link Parameter#decays()}; frozen parameters are left alone, and
 * count no steps while they are. For use by one thread; the kernels may use more.
 */
public final class AdamW {
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
      require("beta1", beta1, beta1 >= 0 && beta1 < 1, "0 or more, less than 1");
      require("beta2", beta2, beta2 >= 0 && beta2 < 1, "0 or more, less than 1");
      require("eps", eps, eps > 0 && Float.isFinite(eps), "more than 0");
      require("decay", decay, decay >= 0 && Float.isFinite(decay), "0 or more");
    }
  }

  private static final class State {
    final Parameter parameter;
    float[] m = {};
    float[] v = {};
    int step;

    State(Parameter parameter) {
      this.parameter = parameter;
    }
  }

  private final Kernels kernels;
  private final Settings settings;
  private final List<State> states = new ArrayList<>();

  /**
   * An optimizer at its first step.
   *
   * @param kernels what computes
   * @param parameters what to optimize
   * @param settings hyper-parameters
   * @throws IllegalArgumentException if a parameter is listed twice
   */
  public AdamW(Kernels kernels, List<Parameter> parameters, Settings settings) {
    this.kernels = Objects.requireNonNull(kernels, "kernels");
    this.settings = Objects.requireNonNull(settings, "settings");
    Set<Parameter> seen = new HashSet<>();
    for (Parameter parameter : parameters) {
      if (!seen.add(parameter)) {
        throw new IllegalArgumentException(
            "parameter "
                + parameter
                + " is listed twice (expected once: it would be updated twice)");
      }
      states.add(new State(parameter));
    }
  }

  /**
   * Updates all parameters from their gradients.
   *
   * @param learningRate lr, 0 or more
   * @throws IllegalArgumentException if it is negative or not finite
   */
  public void step(float learningRate) {
    require(
        "learning rate",
        learningRate,
        learningRate >= 0 && Float.isFinite(learningRate),
        "0 or more");
    for (State state : states) {
      if (!state.parameter.frozen()) {
        update(state, learningRate);
      }
    }
  }

  private void update(State state, float learningRate) {
    Parameter parameter = state.parameter;
    float[] w = parameter.value().data();
    if (state.step == 0) { // parameters that stay frozen need no moments
      state.m = new float[w.length];
      state.v = new float[w.length];
    }
    state.step++;
    kernels
        .elementwise()
        .adamW(
            w,
            parameter.grad().data(),
            state.m,
            state.v,
            w.length,
            state.step,
            learningRate,
            settings.beta1(),
            settings.beta2(),
            settings.eps(),
            parameter.decays() ? settings.decay() : 0);
    parameter.markChanged();
  }

  /** Sets the gradients of all parameters to zero. */
  public void zeroGrad() {
    for (State state : states) {
      state.parameter.zeroGrad();
    }
  }

  private static void require(String name, float value, boolean holds, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(name + " is " + value + " (expected " + expected + ")");
    }
  }
}
