package dev.switchyard.bench.experiment;

import dev.switchyard.bench.experiment.SmallTransformer.Shape;
import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.Findings.Verdict;
import dev.switchyard.bench.page.LineChart;
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

  private record Outcome(WatchedTraining training, double[] features) {}

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
        List.of(Precision.BFLOAT16, Precision.FP8_TENSORWISE, Precision.FP8_TENSORWISE_PAPER);
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
    return new Outcome(training, magnitudes(setting, training));
  }

  /** The mean magnitude of the features after each block; not a number after a divergence. */
  private static double[] magnitudes(Setting setting, WatchedTraining training) {
    double[] magnitudes = new double[DEPTH];
    WatchedTraining.Batches batches =
        new WatchedTraining.Batches(setting.images().training(), BATCH, setting.seed());
    batches.next();
    try {
      List<FloatMatrix> features =
          training.model().features(Tape.none(setting.kernels()), Tensor.of(batches.pixels()));
      for (int i = 0; i < DEPTH; i++) {
        magnitudes[i] = magnitude(features.get(i));
      }
    } catch (NonFiniteException diverged) {
      Arrays.fill(magnitudes, Double.NaN);
    }
    return magnitudes;
  }

  private static double magnitude(FloatMatrix m) {
    double sum = 0;
    for (int i = 0; i < m.rows(); i++) {
      for (int j = 0; j < m.cols(); j++) {
        sum += Math.abs(m.get(i, j));
      }
    }
    return sum / ((double) m.rows() * m.cols());
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
    double plain = worstGap(outcomes, ", plain");
    double scaled = worstGap(outcomes, ", layer scale");
    double ofPlain = last(outcomes, "BFLOAT16, plain");
    double ofScaled = last(outcomes, "BFLOAT16, layer scale");
    return new Findings(
        "Zero-initialised layer scale and tensor-wise float8",
        "In the paper's ViT-Large (section 2.3), training with one float8 scale a tensor diverges,"
            + " with gradient clipping or normalized queries and keys too, but not with layer scale"
            + " whose gains start at 0: it keeps features small. Here: "
            + DEPTH
            + " blocks of "
            + WIDTH
            + " features at a high learning rate, in OCP float8 and in the codebook of the paper.",
        List.of(
            new Verdict(
                "features stay smaller with layer scale",
                ofScaled < ofPlain,
                String.format(
                    Locale.ROOT,
                    "Mean magnitude after the last block, in BFLOAT16: %.2f with layer scale, %.2f"
                        + " without (expected less with it).",
                    ofScaled,
                    ofPlain)),
            new Verdict(
                "tensor-wise float8 loses without layer scale and trains with it",
                plain > LOST && scaled <= LOST,
                String.format(
                    Locale.ROOT,
                    "Final loss of tensor-wise float8, the worse of both codebooks, above that of"
                        + " BFLOAT16: %.3f without layer scale, %.3f with it (expected more than"
                        + " %.1f without, and no more with it).",
                    plain,
                    scaled,
                    LOST))),
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

  /** How much worse float8 ends than bfloat16 in the same form; infinite if it diverges. */
  private static double worstGap(Map<String, Outcome> outcomes, String form) {
    double reference = outcomes.get(Precision.BFLOAT16 + form).training().finalLoss();
    double worst = Double.NEGATIVE_INFINITY;
    for (Precision p : List.of(Precision.FP8_TENSORWISE, Precision.FP8_TENSORWISE_PAPER)) {
      double loss = outcomes.get(p + form).training().finalLoss();
      worst = Math.max(worst, Double.isNaN(loss) ? Double.POSITIVE_INFINITY : loss - reference);
    }
    return worst;
  }

  private static double last(Map<String, Outcome> outcomes, String name) {
    return outcomes.get(name).features()[DEPTH - 1];
  }

  private static void append(List<String> csv, String prefix, double... values) {
    for (int i = 0; i < values.length; i++) {
      csv.add(prefix + (i + 1) + "," + values[i]);
    }
  }
}
