package dev.switchyard.bench.experiment;

import dev.switchyard.bench.experiment.SmallTransformer.Shape;
import dev.switchyard.bench.page.Figure;
import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.Findings.Verdict;
import dev.switchyard.bench.page.LineChart;
import dev.switchyard.bench.statistics.Answer;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.optim.AdamW;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What the monitors show before and while a training diverges. After a calm phase the learning rate
 * grows by a constant factor each step, until nothing is left to learn from: the question is which
 * quantity leaves the range of the calm phase first.
 */
final class InstabilityExperiment implements Experiment {
  private static final int STEPS = 400;
  private static final double RATE = 1e-3;

  /** The part of the steps with the rate above; in the rest it grows a thousandfold. */
  private static final double CALM = 0.5;

  private static final double GROWTH = 1000;

  /** Deviations from the mean of the calm phase beyond which a quantity is out of range. */
  private static final double DEVIATIONS = 6;

  /** Steps from which the range is taken. */
  private static final int FEWEST = 20;

  /** So many steps in a row, so that chance does not count. */
  private static final int IN_A_ROW = 3;

  private static final String TENSOR = "block1.feedForward.up.weight";
  private static final Shape SHAPE = new Shape(3, 64, 2, Precision.FLOAT32, Optional.empty());
  private static final List<String> QUANTITIES =
      List.of(
          "updateNorm",
          "stepRatio",
          "rms",
          "bimodality",
          "cosineGradient",
          "cosineMoment",
          "underEps");

  @Override
  public String name() {
    return "instability";
  }

  @Override
  public String summary() {
    return "the stability monitors through a provoked divergence";
  }

  @Override
  public Findings run(Setting setting) {
    int steps = setting.scaled(STEPS);
    int calm = (int) (CALM * steps);
    setting.expect(steps);
    WatchedTraining training =
        WatchedTraining.run(
            setting,
            new WatchedTraining.Plan(
                "training",
                SHAPE,
                (kernels, parameters) ->
                    new AdamW(kernels, parameters, new AdamW.Settings(0.9f, 0.99f, 1e-8f, 0.01f)),
                Float.POSITIVE_INFINITY,
                64,
                steps,
                step -> rate(step, calm, steps),
                step -> 1,
                true));
    Map<String, double[]> series = new LinkedHashMap<>();
    series.put("loss", training.losses());
    QUANTITIES.forEach(q -> series.put(q, training.measurements().of(TENSOR, q)));
    return findings(series, calm, training.measurements());
  }

  private static double rate(int step, int calm, int steps) {
    return step < calm
        ? RATE * Math.min(1, (step + 1.0) / 20)
        : RATE * Math.pow(GROWTH, (step - calm) / (double) (steps - calm));
  }

  /**
   * The first step after the calm phase from which on a quantity is out of its range, three steps
   * in a row; -1 if it never is.
   */
  static int leavesRange(double[] values, int calm) {
    int from = calm / 2; // the beginning is not calm yet
    double mean = 0;
    for (int i = from; i < calm; i++) {
      mean += values[i] / (calm - from);
    }
    double squares = 0;
    for (int i = from; i < calm; i++) {
      squares += (values[i] - mean) * (values[i] - mean) / (calm - from);
    }
    double range = DEVIATIONS * Math.sqrt(squares);
    int inARow = 0;
    for (int i = calm; i < values.length; i++) {
      inARow = Math.abs(values[i] - mean) <= range ? 0 : inARow + 1;
      if (inARow == IN_A_ROW) {
        return i - IN_A_ROW + 1;
      }
    }
    return -1;
  }

  /** A range of a few steps tells nothing. */
  private static Answer answer(boolean seen, int calm) {
    if (calm - calm / 2 < FEWEST) {
      return Answer.CANNOT_TELL;
    }
    return seen ? Answer.SHOWS : Answer.DOES_NOT_SHOW;
  }

  private static Findings findings(
      Map<String, double[]> series, int calm, Measurements measurements) {
    int ofLoss = leavesRange(series.get("loss"), calm);
    List<List<String>> rows = new ArrayList<>();
    List<Figure> charts = new ArrayList<>();
    String first = "";
    int ahead = 0;
    for (Map.Entry<String, double[]> entry : series.entrySet()) {
      String quantity = entry.getKey();
      double[] values = entry.getValue();
      int leaves = leavesRange(values, calm);
      rows.add(
          List.of(
              quantity,
              leaves < 0 ? "never" : Integer.toString(leaves + 1),
              leaves < 0 || ofLoss < 0 ? "-" : Integer.toString(ofLoss - leaves),
              String.format(Locale.ROOT, "%.3g", values[calm - 1])));
      boolean isMonitor =
          !quantity.equals("loss")
              && !quantity.equals("updateNorm")
              && !quantity.equals("stepRatio"); // these two contain the rate itself
      if (isMonitor && leaves >= 0 && ofLoss - leaves > ahead) {
        ahead = ofLoss - leaves;
        first = quantity;
      }
      LineChart chart =
          new LineChart(
              quantity.equals("loss") ? "loss" : quantity + " of " + TENSOR, "step", quantity);
      boolean wide =
          quantity.equals("loss") || quantity.equals("updateNorm") || quantity.equals("stepRatio");
      charts.add(chart.logarithmic(false, wide).line(quantity, values).mark(calm + 1.0));
      if (ofLoss >= 0) {
        chart.mark(ofLoss + 1.0);
      }
    }
    List<String> csv = new ArrayList<>(List.of("step,name,quantity,value"));
    measurements
        .all()
        .forEach(
            (name, values) -> {
              for (int i = 0; i < values.length; i++) {
                csv.add((i + 1) + "," + name + "," + values[i]);
              }
            });
    for (int i = 0; i < series.get("loss").length; i++) {
      csv.add((i + 1) + ",loss,loss," + series.get("loss")[i]);
    }
    return new Findings(
        "The monitors through a divergence",
        "Molybog et al. 2023 describe a state of Adam in which updates are large and no longer"
            + " point down the gradient; Wortsman et al. 2023 watch the RMS of the update. Here a"
            + " small vision transformer is trained with AdamW, calmly for the first "
            + calm
            + " steps; then the learning rate grows a thousandfold. Which monitor notices first?",
        List.of(
            new Verdict(
                "the training diverges",
                answer(ofLoss >= 0, calm),
                String.format(
                    Locale.ROOT,
                    "The loss %s the range of the calm phase (%.0f standard deviations, %d steps in"
                        + " a row)%s.",
                    ofLoss < 0 ? "stays in" : "leaves",
                    DEVIATIONS,
                    IN_A_ROW,
                    ofLoss < 0 ? "" : " at step " + (ofLoss + 1))),
            new Verdict(
                "a monitor notices before the loss does",
                ofLoss < 0 ? Answer.CANNOT_TELL : answer(ahead > 0, calm),
                ahead > 0
                    ? String.format(
                        Locale.ROOT,
                        "%s of %s leaves its range %d steps before the loss (monitors that contain"
                            + " the learning rate itself do not count).",
                        first,
                        TENSOR,
                        ahead)
                    : "None of rms, bimodality, cosineGradient, cosineMoment and underEps of "
                        + TENSOR
                        + " leaves its range before the loss.")),
        List.of(
            new Section(
                "When each quantity leaves the range of the calm phase",
                "The range is the mean of the second half of the calm phase and six standard"
                    + " deviations to both sides. All of this is one training: how far other seeds"
                    + " are from it, which an interval would say, is not known.",
                List.of(),
                new Table(
                    List.of("quantity", "leaves at step", "steps before the loss", "when calm"),
                    rows)),
            new Section(
                "Step by step",
                "Marks: where the learning rate begins to grow, and where the loss leaves its"
                    + " range.",
                charts,
                Table.NONE)),
        csv);
  }
}
