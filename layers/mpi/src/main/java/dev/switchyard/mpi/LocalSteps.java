package dev.switchyard.mpi;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Training over slow links: each process makes steps of its own, and now and then all agree
 * (DiLoCo, Douillard et al. 2023, algorithm 1). With x the parameters at the last agreement, and
 * w_r those of process r now:
 *
 * <pre>
 *   g = mean over r of (x - w_r)     m = momentum m + g     x = x - rate (g + momentum m)     w_r = x
 * </pre>
 *
 * which is a step of SGD with Nesterov momentum on what the local steps, of StableAdamW say, have
 * changed. The difference travels as gradients do, see {@link DataParallel}.
 */
public final class LocalSteps {
  /**
   * How often and how far.
   *
   * @param every local steps between two agreements, from 1
   * @param rate of the outer step, more than 0
   * @param momentum of the outer step, in [0, 1)
   */
  public record Settings(int every, float rate, float momentum) {
    /**
     * The outer optimizer of the paper.
     *
     * @param every local steps between two agreements
     * @return the settings
     */
    public static Settings every(int every) {
      return new Settings(every, 0.7f, 0.9f);
    }

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of its range
     */
    public Settings {
      if (every < 1 || !(rate > 0 && Float.isFinite(rate)) || !(momentum >= 0 && momentum < 1)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "every is %d, rate %s and momentum %s (expected 1 or more, more than 0, and 0 to"
                    + " less than 1)",
                every,
                rate,
                momentum));
      }
    }
  }

  private final DataParallel parallel;
  private final Settings settings;
  private final Map<Parameter, float[]> agreed = new LinkedHashMap<>();
  private final Map<Parameter, float[]> momenta = new LinkedHashMap<>();
  private int done; // since the last agreement
  private boolean torn; // parameters and momenta are of different agreements

  /**
   * Begins with parameters that are the same on all processes.
   *
   * @param collective the processes
   * @param kernels what computes
   * @param parameters of the model; frozen ones do not take part
   * @param reduction how differences travel
   * @param seed of stochastic rounding
   * @param settings how often and how far
   * @throws CollectiveException on every process, if one has other parameters or settings than the
   *     first
   */
  public LocalSteps(
      Collective collective,
      Kernels kernels,
      List<Parameter> parameters,
      Reduction reduction,
      long seed,
      Settings settings) {
    this.settings = settings;
    Agreement.require(collective, Map.of("settings", settings.toString()));
    this.parallel =
        new DataParallel(
            collective,
            kernels,
            parameters,
            new DataParallel.Settings(reduction, 1, DataParallel.Settings.DEFAULT.bucket(), seed));
    for (Parameter parameter : parameters) {
      if (!parameter.frozen()) {
        agreed.put(parameter, parameter.value().data().clone());
        momenta.put(parameter, new float[parameter.rows() * parameter.cols()]);
      }
    }
  }

  /**
   * Ends a local step, after the optimizer's. Every so many, all processes agree; gradients are
   * zero afterwards. A process calls this as often as the others, after a batch that it has left
   * out too.
   *
   * @return whether they have agreed: parameters are the same everywhere
   * @throws AbandonedStepException if the agreement has failed on another process: nothing has
   *     changed then, and the next call tries again
   * @throws CollectiveException if processes can agree no more, or an agreement has failed half-way
   *     on this one, until {@link #restore}
   */
  public boolean afterStep() {
    if (done + 1 < settings.every()) {
      requireWhole();
      done++;
      return false;
    }
    long made = parallel.made();
    boolean before = torn;
    try {
      requireWhole();
      torn = true; // from here on, unless it comes to its end or to nothing
      agreed.forEach(LocalSteps::differ);
      parallel.afterBackward();
      agreed.forEach((parameter, x) -> outerStep(parameter, x, momenta.get(parameter)));
      torn = false;
      done = 0;
      return true;
    } catch (Throwable e) {
      torn = before || parallel.made() > made;
      parallel.abandon(e);
      throw e;
    } finally {
      agreed.keySet().forEach(Parameter::zeroGrad);
    }
  }

  private void requireWhole() {
    if (torn) {
      throw new CollectiveException(
          "an agreement has failed half-way here, after which parameters and momenta do not belong"
              + " together (expected parameters and state to be restored from a checkpoint)");
    }
  }

  private static void differ(Parameter parameter, float[] x) {
    float[] w = parameter.value().data();
    float[] g = parameter.grad().data();
    for (int i = 0; i < x.length; i++) {
      g[i] = x[i] - w[i];
    }
  }

  private void outerStep(Parameter parameter, float[] x, float[] m) {
    float[] g = parameter.grad().data();
    float[] w = parameter.value().data();
    parameter.markChanged();
    for (int i = 0; i < x.length; i++) {
      m[i] = settings.momentum() * m[i] + g[i];
      x[i] -= settings.rate() * (g[i] + settings.momentum() * m[i]);
      w[i] = x[i];
    }
  }

  /**
   * What has to be kept to go on from an agreement, beside the parameters.
   *
   * @return momenta by the name of the parameter, not copied
   * @throws CollectiveException if an agreement has failed half-way
   */
  public Map<String, FloatMatrix> state() {
    requireWhole();
    Map<String, FloatMatrix> state = new LinkedHashMap<>();
    momenta.forEach((p, m) -> state.put(p.name(), FloatMatrix.of(m, p.rows(), p.cols())));
    return state;
  }

  /**
   * Goes on from an agreement, with the values that parameters have now.
   *
   * @param state what {@link #state()} gave
   * @throws IllegalArgumentException if a momentum is missing or of another shape; nothing is
   *     changed then
   */
  public void restore(Map<String, FloatMatrix> state) {
    for (Parameter parameter : momenta.keySet()) {
      FloatMatrix m = state.get(parameter.name());
      if (m == null || m.rows() != parameter.rows() || m.cols() != parameter.cols()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "the state has %s for %s (expected a momentum of its shape)",
                m == null ? "nothing" : m.shape(),
                parameter));
      }
    }
    momenta.forEach(
        (parameter, m) -> {
          FloatMatrix saved = state.get(parameter.name());
          torn = true; // until all are restored
          saved.copyTo(FloatMatrix.of(m, parameter.rows(), parameter.cols()));
          float[] w = parameter.value().data();
          System.arraycopy(w, 0, agreed.get(parameter), 0, w.length);
        });
    done = 0;
    torn = false;
  }

  /**
   * What this process sends to others at an agreement.
   *
   * @return the bytes, as {@link DataParallel#bytesPerStep()}
   */
  public long bytesPerAgreement() {
    return parallel.bytesPerStep();
  }

  /** Agrees no more; all processes call this, see {@link DataParallel#close}. */
  public void close() {
    parallel.close();
  }
}
