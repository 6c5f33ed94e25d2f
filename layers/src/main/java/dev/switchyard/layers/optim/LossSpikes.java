package dev.switchyard.layers.optim;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Finds spikes in a series of losses (after Wortsman et al. 2023, section 3.4): a loss deviates if
 * it lies more than some standard deviations above the mean of those before it. Deviations within a
 * few steps are one event, and an event is a spike if there is more than one. For use by one
 * thread.
 */
public final class LossSpikes {
  /**
   * What counts.
   *
   * @param deviations standard deviations above the mean, more than 0
   * @param history how many losses mean and deviation are taken of, 2 or more
   * @param window steps from the first deviation of an event to its end, 1 or more
   * @param ignored steps at the start in which nothing counts, 0 or more
   */
  public record Settings(double deviations, int history, int window, int ignored) {
    /** Those of the paper, with a history of 100. */
    public static final Settings DEFAULT = new Settings(3.2, 100, 10, 1000);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of its range
     */
    public Settings {
      if (!(deviations > 0) || history < 2 || window < 1 || ignored < 0) {
        throw new IllegalArgumentException(
            String.format(
                java.util.Locale.ROOT,
                "deviations is %s, history %d, window %d and ignored %d (expected more than 0, 2 or"
                    + " more, 1 or more, 0 or more)",
                deviations,
                history,
                window,
                ignored));
      }
    }
  }

  private final Settings settings;
  private final Deque<Double> history = new ArrayDeque<>();
  private long step;
  private long eventStart = Long.MIN_VALUE / 2;
  private int deviationsOfEvent;

  /**
   * A detector that has seen nothing.
   *
   * @param settings what counts
   */
  public LossSpikes(Settings settings) {
    this.settings = settings;
  }

  /**
   * Takes the next loss.
   *
   * @param loss the loss of a step; NaN deviates, and does not enter the history
   * @return whether it makes an event a spike: true once a spike, at its second deviation
   */
  public boolean add(double loss) {
    while (history.size() > settings.history()) {
      history.removeFirst();
    }
    boolean deviates = step >= settings.ignored() && deviates(loss);
    boolean begins = deviates && step - eventStart >= settings.window();
    if (Double.isFinite(loss)) {
      history.addLast(loss); // the last that can fail: a loss is taken as a whole or not at all
    }
    if (begins) {
      eventStart = step;
      deviationsOfEvent = 0;
    }
    deviationsOfEvent += deviates ? 1 : 0;
    step++;
    return deviates && deviationsOfEvent == 2;
  }

  /**
   * Where the event of the last deviation began.
   *
   * @return its step, counted from 0; negative if there was none
   */
  public long eventStart() {
    return eventStart;
  }

  private boolean deviates(double loss) {
    if (history.size() < 2) {
      return Double.isNaN(loss);
    }
    double mean = history.stream().mapToDouble(x -> x).average().orElse(0);
    double squares = history.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum();
    return !(loss <= mean + settings.deviations() * Math.sqrt(squares / history.size()));
  }
}
