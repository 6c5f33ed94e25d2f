package dev.switchyard.bench.experiment;

import dev.switchyard.bench.experiment.SmallTransformer.Shape;
import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.Findings.Verdict;
import dev.switchyard.bench.page.LineChart;
import dev.switchyard.bench.statistics.Answer;
import dev.switchyard.bench.statistics.Interval;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.optim.AdamW;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Tensor-wise float8 with and without zero-initialised layer scale, in a deep and narrow model. */
final class LayerScaleExperiment implements Experiment {
  private static final int DEPTH = 12;
  private static final int WIDTH = 64;
  private static final int HEADS = 2;
  private static final int BATCH = 64;
  private static final int STEPS = 300;

  /** High for such a model: instability is wanted. */
  private static final double RATE = 4e-3;

  private static final int WARMUP = 30;

  /** A loss that is worse by so much than that of bfloat16 counts as lost. */
  private static final double LOST = 0.1;

  private static final List<Precision> FLOAT8 =
      List.of(Precision.FP8_TENSORWISE, Precision.FP8_TENSORWISE_PAPER);

  private static final Interval DIVERGED =
      new Interval(Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);

  /**
   * What came of a training.
   *
   * @param training with its losses
   * @param features their mean magnitude after each block; not a number after a divergence
   * @param lastOfImages that after the last block, of each image
   */
  private record Outcome(WatchedTraining training, double[] features, double[] lastOfImages) {}

  @Override
  public String name() {
    return "layerscale";
  }

  @Override
  public String summary() {
    return "tensor-wise float8 with and without zero-initialised layer scale";
  }

  @Override
  public Findings run(Setting setting) {
    int steps = setting.scaled(STEPS);
    List<Precision> precisions =
        Stream.concat(Stream.of(Precision.BFLOAT16), FLOAT8.stream()).toList();
    setting.expect(2 * precisions.size() * steps);
    Map<String, Outcome> outcomes = new LinkedHashMap<>();
    for (Precision precision : precisions) {
      outcomes.put(precision + ", plain", train(setting, precision, Optional.empty(), steps));
      outcomes.put(precision + ", layer scale", train(setting, precision, Optional.of(0f), steps));
    }
    return findings(outcomes);
  }

  private static Outcome train(
      Setting setting, Precision precision, Optional<Float> layerScale, int steps) {
    Shape shape = new Shape(DEPTH, WIDTH, HEADS, precision, layerScale);
    WatchedTraining training =
        WatchedTraining.run(
            setting,
            new WatchedTraining.Plan(
                precision + (layerScale.isPresent() ? ", layer scale" : ", plain"),
                shape,
                (kernels, parameters) ->
                    new AdamW(kernels, parameters, new AdamW.Settings(0.9f, 0.98f, 1e-8f, 0.05f)),
                Float.POSITIVE_INFINITY,
                BATCH,
                steps,
                step -> RATE * Math.min(1, (step + 1.0) / WARMUP),
                step -> 1,
                false));
    WatchedTraining.Batches batches =
        new WatchedTraining.Batches(setting.images().training(), BATCH, setting.seed());
    batches.next();
    double[] magnitudes = new double[DEPTH];
    double[] ofImages = new double[BATCH];
    try {
      List<FloatMatrix> features =
          training.model().features(Tape.none(setting.kernels()), Tensor.of(batches.pixels()));
      Arrays.setAll(magnitudes, i -> magnitude(features.get(i), 0, features.get(i).rows()));
      FloatMatrix last = features.getLast();
      int tokens = last.rows() / BATCH;
      Arrays.setAll(ofImages, i -> magnitude(last, i * tokens, (i + 1) * tokens));
    } catch (NonFiniteException diverged) {
      Arrays.fill(magnitudes, Double.NaN);
      Arrays.fill(ofImages, Double.NaN);
    }
    return new Outcome(training, magnitudes, ofImages);
  }

  private static double magnitude(FloatMatrix m, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      for (int j = 0; j < m.cols(); j++) {
        sum += Math.abs(m.get(i, j));
      }
    }
    return sum / ((double) (to - from) * m.cols());
  }

  private static Findings findings(Map<String, Outcome> outcomes) {
    LineChart curves = new LineChart("Training loss, smoothed", "step", "loss").yUpTo(3);
    LineChart features =
        new LineChart("Mean magnitude of features at the end", "after block", "magnitude")
            .logarithmic(false, true);
    List<List<String>> rows = new ArrayList<>();
    List<String> csv = new ArrayList<>(List.of("training,quantity,index,value"));
    outcomes.forEach(
        (name, outcome) -> {
          double[] losses = outcome.training().losses();
          curves.line(name, Series.smooth(losses));
          features.line(name, outcome.features());
          rows.add(
              List.of(
                  name,
                  String.format(Locale.ROOT, "%.3f", outcome.training().finalLoss()),
                  String.format(Locale.ROOT, "%.2f", outcome.features()[0]),
                  String.format(Locale.ROOT, "%.2f", outcome.features()[DEPTH - 1])));
          append(csv, name + ",loss,", losses);
          append(csv, name + ",magnitude,", outcome.features());
        });
    Interval shrinks =
        Interval.ofRatio(
            outcomes.get("BFLOAT16, plain").lastOfImages(),
            outcomes.get("BFLOAT16, layer scale").lastOfImages());
    List<Interval> plain = gaps(outcomes, ", plain");
    List<Interval> scaled = gaps(outcomes, ", layer scale");
    // One codebook that loses is enough without layer scale; with it, none may.
    Answer loses = plain.stream().map(gap -> gap.isAbove(LOST)).reduce(Answer::or).orElseThrow();
    Answer trains = scaled.stream().map(gap -> gap.isBelow(LOST)).reduce(Answer::and).orElseThrow();
    return new Findings(
        "Zero-initialised layer scale and tensor-wise float8",
        "In the ViT-Large of Wortsman et al. 2023 (section 2.3), training with one float8 scale a"
            + " tensor diverges, with gradient clipping or normalized queries and keys too, but not"
            + " with layer scale whose gains start at 0: it keeps features small. Here: "
            + DEPTH
            + " blocks of "
            + WIDTH
            + " features at a high learning rate, in OCP float8 and in the codebook of the paper.",
        List.of(
            new Verdict(
                "features stay smaller with layer scale",
                shrinks.isAbove(1),
                String.format(
                    Locale.ROOT,
                    "In BFLOAT16, the mean magnitude after the last block is %s times as large"
                        + " without layer scale as with it, over %d images.",
                    shrinks.text("%.2f"),
                    BATCH)),
            new Verdict(
                "tensor-wise float8 loses without layer scale",
                loses,
                gapText(plain)
                    + " Either codebook that ends more than "
                    + LOST
                    + " above BFLOAT16 counts as a loss."),
            new Verdict(
                "tensor-wise float8 trains with layer scale",
                trains,
                gapText(scaled) + " Both have to end less than " + LOST + " above BFLOAT16.")),
        List.of(
            new Section(
                "Losses and features",
                "A line that ends is a training that diverged.",
                List.of(curves, features),
                new Table(
                    List.of("training", "final loss", "features, block 1", "features, last block"),
                    rows))),
        csv);
  }

  /**
   * How much worse each float8 codebook ends than bfloat16 in the same form, over the batches of
   * the last steps, which are the same for all; infinite if it diverges. The intervals of both
   * codebooks hold together, as both decide a claim.
   */
  private static List<Interval> gaps(Map<String, Outcome> outcomes, String form) {
    double[] reference = outcomes.get(Precision.BFLOAT16 + form).training().lastLosses();
    return FLOAT8.stream()
        .map(precision -> outcomes.get(precision + form).training().lastLosses())
        .map(
            losses ->
                Arrays.stream(losses).allMatch(Double::isFinite)
                    ? Interval.ofSeriesDifference(losses, reference, FLOAT8.size())
                    : DIVERGED)
        .toList();
  }

  private static String gapText(List<Interval> gaps) {
    List<String> sentences = new ArrayList<>();
    for (int i = 0; i < gaps.size(); i++) {
      sentences.add(
          gaps.get(i).equals(DIVERGED)
              ? FLOAT8.get(i) + " diverges."
              : "The final loss of "
                  + FLOAT8.get(i)
                  + " is above that of BFLOAT16 by "
                  + gaps.get(i).text("%.3f")
                  + ".");
    }
    if (gaps.stream().allMatch(gap -> Double.isFinite(gap.upper()))) {
      sentences.add("Both intervals hold together.");
    }
    return String.join(" ", sentences);
  }

  private static void append(List<String> csv, String prefix, double... values) {
    for (int i = 0; i < values.length; i++) {
      csv.add(prefix + (i + 1) + "," + values[i]);
    }
  }
}
