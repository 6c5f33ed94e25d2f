package dev.switchyard.bench.train;

import dev.switchyard.bench.page.Figure;
import dev.switchyard.bench.page.LineChart;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** The losses of some trainings for a page. */
public final class LossCharts {
  private LossCharts() {}

  /**
   * The smoothed losses; and of several trainings, whose curves lie on each other, how much more
   * they are than those of the first.
   *
   * @param losses of each training by name, in their order
   */
  public static List<Figure> of(Map<String, List<Double>> losses) {
    if (losses.values().stream().allMatch(List::isEmpty)) {
      return List.of();
    }
    LineChart curves = new LineChart("Loss while training, smoothed", "step", "loss");
    losses.forEach((name, each) -> curves.line(name, smooth(each)));
    List<Figure> figures = new ArrayList<>(List.of(curves));
    if (losses.size() > 1) {
      Iterator<String> names = losses.keySet().iterator();
      String first = names.next();
      LineChart more =
          new LineChart("How much more it is than that of " + first, "step", "difference of losses")
              .level(0);
      double[] baseline = smooth(losses.get(first));
      more.line(first, new double[baseline.length]); // so that colours are those above
      names.forEachRemaining(name -> more.line(name, minus(smooth(losses.get(name)), baseline)));
      figures.add(more);
    }
    return figures;
  }

  private static double[] smooth(List<Double> losses) {
    return LossCurve.smooth(LossCurve.finitePart(losses));
  }

  /** As far as both go. */
  private static double[] minus(double[] a, double[] b) {
    double[] difference = new double[Math.min(a.length, b.length)];
    for (int i = 0; i < difference.length; i++) {
      difference[i] = a[i] - b[i];
    }
    return difference;
  }
}
