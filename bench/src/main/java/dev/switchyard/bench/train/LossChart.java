package dev.switchyard.bench.train;

import dev.switchyard.bench.page.LineChart;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The loss curves of some trainings: smoothed, with the raw losses behind. */
final class LossChart {
  private LossChart() {}

  static LineChart of(List<TimedTraining> runs) {
    LineChart chart = new LineChart("Training loss", "step", "loss").nested();
    // All raw curves first: what is added later is drawn over it.
    for (int i = 0; i < runs.size(); i++) {
      double[] losses = finitePart(runs.get(i));
      chart.ground(i, steps(losses), drawn(losses));
    }
    for (TimedTraining run : runs) {
      double[] losses = finitePart(run);
      chart.line(
          String.format(
              Locale.ROOT,
              "%s (test accuracy %.2f %%)",
              run.precision(),
              100 * run.result().testAccuracy()),
          steps(losses),
          drawn(LossCurve.smooth(losses)));
    }
    return chart;
  }

  /** None of a training that diverged at once. */
  private static double[] finitePart(TimedTraining run) {
    List<Double> losses = run.result().losses();
    return losses.isEmpty() || !Double.isFinite(losses.getFirst())
        ? new double[0]
        : LossCurve.finitePart(losses);
  }

  private static double[] steps(double[] losses) {
    return Arrays.stream(LossCurve.steps(losses.length)).mapToDouble(step -> step + 1).toArray();
  }

  private static double[] drawn(double[] losses) {
    return Arrays.stream(LossCurve.steps(losses.length))
        .mapToDouble(step -> losses[step])
        .toArray();
  }
}
