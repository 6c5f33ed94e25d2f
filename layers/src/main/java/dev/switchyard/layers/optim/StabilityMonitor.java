package dev.switchyard.layers.optim;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.optim.Moments.Slot;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Watches training for the signs of instability that Wortsman et al. 2023 describe (sections 2.3
 * and 3). Attach it with {@link Optimizer#setMonitor}; a training loop adds losses and features. It
 * hands on each {@link Measurement}, to a {@link MeasurementLines} for example, and says in a
 * sentence what looks wrong. With u the update {@code m / (sqrt(v) + eps)}, moments corrected for
 * their bias, the quantities of a parameter are
 *
 * <pre>
 *   rms             sqrt(mean of g^2 / max(v, eps^2)): about 1, more where v falls behind
 *   updateNorm      |rate u|, the rate clipped if the optimizer clips it
 *   stepRatio       updateNorm / |w|
 *   bimodality      (skewness^2 + 1) / kurtosis of u: 1/3 for a normal, 5/9 for a uniform, 1 for a
 *                   two-point distribution (Sarle's coefficient)
 *   cosineGradient  cosine of the angle between u and g
 *   cosineMoment    between u and the first moment before this step
 *   underEps        share of elements with sqrt(v) below eps
 * </pre>
 *
 * <p>It costs several passes in plain Java over each parameter. For use by one thread.
 */
public final class StabilityMonitor {
  /** From this RMS on an update is said to spike, as in the paper. */
  public static final double RMS_SPIKE = 2.3;

  private final Consumer<Measurement> out;
  private final Consumer<String> warnings;
  private final LossSpikes lossSpikes;
  private long step;

  /**
   * A monitor at step 0.
   *
   * @param out takes the measurements; what it throws, whoever made the step gets
   * @param warnings takes a sentence for each spike
   * @param lossSpikes what counts as a spike of the loss
   */
  public StabilityMonitor(
      Consumer<Measurement> out, Consumer<String> warnings, LossSpikes.Settings lossSpikes) {
    this.out = Objects.requireNonNull(out, "out");
    this.warnings = Objects.requireNonNull(warnings, "warnings");
    this.lossSpikes = new LossSpikes(lossSpikes);
  }

  /**
   * Takes the loss of this step, once a step.
   *
   * @param loss the loss
   */
  public void loss(double loss) {
    put("loss", "loss", loss);
    if (lossSpikes.add(loss)) {
      warn("the loss spikes, at " + loss + " now, since step " + lossSpikes.eventStart());
    }
  }

  /**
   * Takes the output of a block in this step, of which the mean magnitude is measured as {@code
   * featureMagnitude}.
   *
   * @param block a name for it
   * @param features the output, at least one element
   */
  public void features(String block, FloatMatrix features) {
    double sum = 0;
    for (int i = 0; i < features.rows(); i++) {
      for (int j = 0; j < features.cols(); j++) {
        sum += Math.abs(features.get(i, j));
      }
    }
    put(block, "featureMagnitude", sum / ((double) features.rows() * features.cols()));
  }

  /**
   * Looks at the update of a parameter that was just made.
   *
   * @param keep1 the share of the first moment before in the one after
   */
  void observe(
      Slot slot, double keep1, double correction1, double correction2, double eps, double rate) {
    UpdateStatistics s =
        UpdateStatistics.of(
            slot.w(), slot.g(), slot.m, slot.v, keep1, correction1, correction2, eps);
    String name = slot.parameter.name();
    double updateNorm = rate * s.updateNorm();
    put(name, "rms", s.rms());
    put(name, "updateNorm", updateNorm);
    put(name, "stepRatio", updateNorm / s.weightNorm());
    put(name, "bimodality", s.bimodality());
    put(name, "cosineGradient", s.cosineGradient());
    put(name, "cosineMoment", s.cosineMoment());
    put(name, "underEps", s.underEps());
    if (s.rms() >= RMS_SPIKE) {
      warn(
          String.format(
              Locale.ROOT,
              "the gradient of %s has outrun its second moment: RMS %.2f (a spike from %s on)",
              name,
              s.rms(),
              RMS_SPIKE));
    }
  }

  /** Begins the next step. */
  void endStep() {
    step++;
  }

  private void put(String name, String quantity, double value) {
    out.accept(new Measurement(step, name, quantity, value));
  }

  private void warn(String sentence) {
    warnings.accept("step " + step + ": " + sentence);
  }
}
