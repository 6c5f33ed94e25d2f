package dev.switchyard.bench.experiment;

import dev.switchyard.bench.experiment.SmallTransformer.Shape;
import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.Findings.Verdict;
import dev.switchyard.bench.page.LineChart;
import dev.switchyard.bench.statistics.Answer;
import dev.switchyard.bench.statistics.Interval;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.LossSpikes;
import dev.switchyard.layers.optim.StabilityMonitor;
import dev.switchyard.layers.optim.StableAdamW;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Loss spikes under AdamW, AdamW with clipped gradients and StableAdamW, over beta2, learning rate
 * and batch. The paper's models are large enough for the size of gradients to jump by itself. Here
 * it is made to: by a factor, now and then, which changes nothing in the loss of that step, and
 * nothing at all for an optimizer whose second moment knew of it.
 */
final class SpikesExperiment implements Experiment {
  private static final int STEPS = 200;
  private static final int IGNORED = 60;

  /** Steps after which the size of gradients jumps, the second time at the double. */
  private static final double JUMP = 0.4;

  private static final double FACTOR = 1000;
  private static final float[] BETA2 = {0.8f, 0.95f, 0.99f, 0.999f};
  private static final double[] RATES = {1e-2, 2e-2};
  private static final int[] BATCHES = {64, 128};
  private static final int SOONEST = 1;
  private static final int LATEST = 8;
  private static final Shape SHAPE = new Shape(2, 48, 2, Precision.FLOAT32, Optional.empty());

  /** As in the paper, with a history that fits so short a training. */
  private static final LossSpikes.Settings LOSS_SPIKE =
      new LossSpikes.Settings(3.2, 30, 10, IGNORED);

  private enum Method {
    ADAMW("AdamW"),
    CLIPPED("AdamW, gradients clipped to norm 1"),
    STABLE("StableAdamW");

    private final String label;

    Method(String label) {
      this.label = label;
    }
  }

  /** What happened in one training: steps of spikes, and the losses. */
  record Outcome(int steps, List<Integer> rmsSpikes, List<Integer> lossSpikes, double[] losses) {}

  private record Case(Method method, float beta2, double rate, int batch) {
    String label() {
      return String.format(
          Locale.ROOT, "%s, beta2 %s, rate %s, batch %d", method.label, beta2, rate, batch);
    }
  }

  @Override
  public String name() {
    return "spikes";
  }

  @Override
  public String summary() {
    return "AdamW against StableAdamW and clipping: RMS spikes before loss spikes";
  }

  @Override
  public Findings run(Setting setting) {
    int steps = setting.scaled(STEPS);
    List<Case> cases = new ArrayList<>();
    for (Method method : Method.values()) {
      for (float beta2 : BETA2) {
        for (double rate : RATES) {
          for (int batch : BATCHES) {
            cases.add(new Case(method, beta2, rate, batch));
          }
        }
      }
    }
    setting.expect(cases.size() * steps);
    Map<Case, Outcome> outcomes = new LinkedHashMap<>();
    for (Case c : cases) {
      outcomes.put(c, train(setting, c, steps));
    }
    return findings(outcomes);
  }

  private static Outcome train(Setting setting, Case c, int steps) {
    WatchedTraining training =
        WatchedTraining.run(
            setting,
            new WatchedTraining.Plan(
                c.label(),
                SHAPE,
                (kernels, parameters) ->
                    c.method() == Method.STABLE
                        ? new StableAdamW(
                            kernels,
                            parameters,
                            new StableAdamW.Settings(0.9f, c.beta2(), 1e-6f, 0.05f, 1, true))
                        : new AdamW(
                            kernels, parameters, new AdamW.Settings(0.9f, c.beta2(), 1e-8f, 0.05f)),
                c.method() == Method.CLIPPED ? 1 : Float.POSITIVE_INFINITY,
                c.batch(),
                steps,
                step -> c.rate() * Math.min(1, (step + 1.0) / 20),
                step -> Math.pow(FACTOR, Math.floor(step / (JUMP * steps))),
                true));
    double[] rms = training.measurements().of(SmallTransformer.PATCH_EMBEDDING, "rms");
    List<Integer> rmsSpikes =
        Series.crossings(rms, StabilityMonitor.RMS_SPIKE).stream()
            .filter(step -> step >= IGNORED)
            .toList();
    return new Outcome(steps, rmsSpikes, lossSpikes(training.losses()), training.losses());
  }

  /** The first steps of loss spikes. */
  static List<Integer> lossSpikes(double[] losses) {
    LossSpikes detector = new LossSpikes(LOSS_SPIKE);
    List<Integer> steps = new ArrayList<>();
    for (double loss : losses) {
      if (detector.add(loss)) {
        steps.add((int) detector.eventStart());
      }
    }
    return steps;
  }

  private static Findings findings(Map<Case, Outcome> outcomes) {
    List<String> csv =
        new ArrayList<>(
            List.of("method,beta2,rate,batch,rms_spikes,loss_spikes,following,covered,mean_loss"));
    List<List<String>> rows = new ArrayList<>();
    Map<Method, List<Integer>> spikes = new EnumMap<>(Method.class); // in the same order
    Arrays.stream(Method.values()).forEach(method -> spikes.put(method, new ArrayList<>()));
    int all = 0;
    int following = 0;
    double expected = 0;
    for (Map.Entry<Case, Outcome> entry : outcomes.entrySet()) {
      Case c = entry.getKey();
      Outcome o = entry.getValue();
      int after = Series.following(o.lossSpikes(), o.rmsSpikes(), SOONEST, LATEST);
      double covered = Series.covered(o.steps(), o.rmsSpikes(), SOONEST, LATEST);
      if (c.method() == Method.ADAMW) {
        all += o.lossSpikes().size();
        following += after;
        expected += covered * o.lossSpikes().size();
      }
      spikes.get(c.method()).add(o.lossSpikes().size());
      double mean = Arrays.stream(o.losses()).average().orElseThrow();
      csv.add(
          String.format(
              Locale.ROOT,
              "%s,%s,%s,%d,%d,%d,%d,%.4f,%.4f",
              c.method(),
              c.beta2(),
              c.rate(),
              c.batch(),
              o.rmsSpikes().size(),
              o.lossSpikes().size(),
              after,
              covered,
              mean));
      rows.add(
          List.of(
              c.label(),
              Integer.toString(o.rmsSpikes().size()),
              Integer.toString(o.lossSpikes().size()),
              Integer.toString(after),
              String.format(Locale.ROOT, "%.0f %%", 100 * covered),
              String.format(Locale.ROOT, "%.3f", mean)));
    }
    double chance = all == 0 ? 0 : expected / all;
    Interval share = Interval.ofShare(following, all);
    Interval fewer =
        Interval.ofDifference(counts(spikes, Method.ADAMW), counts(spikes, Method.STABLE));
    return new Findings(
        "Loss spikes and the second moment",
        "Wortsman et al. 2023 (section 3) find that loss spikes come 1 to 8 steps after the squared"
            + " gradients of the patch embedding have outrun their running mean v (RMS spikes),"
            + " more often for a higher beta2, learning rate and batch; and that StableAdamW, which"
            + " slows down then, prevents them better than clipping gradients. A model as small as"
            + " this has no such moments by itself, so the cause is provoked: after 40 and after 80"
            + " percent of the steps all gradients, but not the loss, become 1,000 times as large.",
        List.of(
            new Verdict(
                "loss spikes of AdamW follow RMS spikes of the patch embedding",
                share.isAbove(chance),
                all == 0
                    ? "AdamW has no loss spikes here."
                    : String.format(
                        Locale.ROOT,
                        "%d of %d loss spikes come %d to %d steps after an RMS spike (%.1f or more"
                            + " in the gradient): %s %%. By chance it would be %.0f %%.",
                        following,
                        all,
                        SOONEST,
                        LATEST,
                        StabilityMonitor.RMS_SPIKE,
                        share.map(part -> 100 * part).text("%.0f"),
                        100 * chance)),
            new Verdict(
                "StableAdamW has fewer loss spikes than AdamW",
                sum(spikes, Method.ADAMW) + sum(spikes, Method.STABLE) == 0
                    ? Answer.CANNOT_TELL
                    : fewer.isAbove(0),
                String.format(
                    Locale.ROOT,
                    "Loss spikes in all trainings: %d with AdamW, %d with clipped gradients, %d"
                        + " with StableAdamW. In a training with the same beta2, rate and batch,"
                        + " AdamW has %s more of them than StableAdamW.",
                    sum(spikes, Method.ADAMW),
                    sum(spikes, Method.CLIPPED),
                    sum(spikes, Method.STABLE),
                    fewer.text("%.2f")))),
        List.of(
            new Section(
                "One training after the other",
                "At the highest beta2, rate and batch.",
                List.of(chart(outcomes)),
                Table.NONE),
            new Section(
                "All trainings",
                "Spikes in the first " + IGNORED + " steps do not count.",
                List.of(),
                new Table(
                    List.of(
                        "training",
                        "RMS spikes",
                        "loss spikes",
                        "of them 1 to 8 after",
                        "steps covered",
                        "mean loss"),
                    rows))),
        csv);
  }

  private static double[] counts(Map<Method, List<Integer>> spikes, Method method) {
    return spikes.get(method).stream().mapToDouble(count -> count).toArray();
  }

  private static int sum(Map<Method, List<Integer>> spikes, Method method) {
    return spikes.get(method).stream().mapToInt(count -> count).sum();
  }

  private static LineChart chart(Map<Case, Outcome> outcomes) {
    LineChart chart =
        new LineChart("Loss; a mark where the size of gradients jumps", "step", "loss");
    outcomes.forEach(
        (c, o) -> {
          if (c.beta2() == BETA2[BETA2.length - 1]
              && c.rate() == RATES[RATES.length - 1]
              && c.batch() == BATCHES[BATCHES.length - 1]) {
            chart.line(c.method().label, o.losses());
          }
        });
    double jump = JUMP * outcomes.values().iterator().next().steps();
    return chart.mark(jump + 1).mark(2 * jump + 1).yUpTo(4);
  }
}
