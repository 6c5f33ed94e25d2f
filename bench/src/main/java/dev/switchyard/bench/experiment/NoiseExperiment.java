package dev.switchyard.bench.experiment;

import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.Findings.Verdict;
import dev.switchyard.bench.page.LineChart;
import dev.switchyard.bench.statistics.Interval;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.optim.AdamW;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How the quantization noise of a product depends on its inner dimension. With operands of rows a
 * and columns b whose roundings err by independent da and db, the error of a sum of k terms has a
 * variance in proportion to k. A weight gradient sums over the tokens of a batch, an output over
 * features, of which there are far fewer.
 */
final class NoiseExperiment implements Experiment {
  private static final int SIDE = 24; // rows and columns of each product
  private static final int SHORTEST = 64;
  private static final int LONGEST = 131_072 / 2;
  private static final int FEATURES = 192;
  private static final int LAYER_STEPS = 60;
  private static final int[] BATCHES = {8, 32, 128, 512};

  /** A slope of 1 is what independent errors give. */
  private static final double SLOPE_FROM = 0.8;

  private static final double SLOPE_TO = 1.4;

  @Override
  public String name() {
    return "noise";
  }

  @Override
  public String summary() {
    return "quantization noise of a product against its inner dimension";
  }

  /** How wide the tails of the operands are. */
  private enum Operands {
    NORMAL {
      @Override
      float draw(long key, int index) {
        return CounterRandom.gaussian(key, index);
      }
    },
    /** Like the gradients of trained models: a few large values among many small. */
    HEAVY_TAILED {
      @Override
      float draw(long key, int index) { // Student's t with 3 degrees of freedom
        double squares = 0;
        for (int i = 1; i < 4; i++) {
          double z = CounterRandom.gaussian(key, 4 * index + i);
          squares += z * z;
        }
        return (float) (CounterRandom.gaussian(key, 4 * index) / Math.sqrt(squares / 3));
      }
    };

    abstract float draw(long key, int index);

    FloatMatrix matrix(int rows, int cols, CounterRandom random) {
      FloatMatrix m = FloatMatrix.allocate(rows, cols);
      long key = random.key(0);
      for (int i = 0; i < m.data().length; i++) {
        m.data()[i] = draw(key, i);
      }
      return m;
    }
  }

  /** The error of a product: variance, and size against that of the exact one. */
  private record Noise(int inner, double variance, double relative) {
    /** The mean over draws, at least one, of one inner dimension. */
    static Noise mean(List<Noise> draws) {
      return new Noise(
          draws.getFirst().inner(),
          draws.stream().mapToDouble(Noise::variance).average().orElseThrow(),
          Math.sqrt(
              draws.stream().mapToDouble(n -> n.relative * n.relative).average().orElseThrow()));
    }

    double decibels() {
      return -20 * Math.log10(relative);
    }
  }

  @Override
  public Findings run(Setting setting) {
    List<Integer> inners =
        IntStream.iterate(SHORTEST, k -> k <= LONGEST, k -> 4 * k).boxed().toList();
    int repeats = setting.scaled(4);
    setting.expect(Operands.values().length * inners.size() * repeats + LAYER_STEPS);
    List<String> csv =
        new ArrayList<>(List.of("operands,inner,error_variance,relative_error,snr_db"));
    LineChart variance =
        new LineChart("Variance of the error of an element", "inner dimension k", "error variance")
            .logarithmic(true, true);
    LineChart relative =
        new LineChart(
                "Size of the error against the product", "inner dimension k", "relative error")
            .logarithmic(true, true);
    List<List<String>> rows = new ArrayList<>();
    Map<Operands, List<List<Noise>>> all = new EnumMap<>(Operands.class);
    for (Operands operands : Operands.values()) {
      List<Noise> noises = new ArrayList<>();
      List<List<Noise>> draws = new ArrayList<>();
      all.put(operands, draws);
      for (int inner : inners) {
        draws.add(draws(setting, operands, inner, repeats));
        noises.add(Noise.mean(draws.getLast()));
        Noise noise = noises.getLast();
        String name = operands.name().toLowerCase(Locale.ROOT).replace('_', '-');
        csv.add(row(name, noise));
        rows.add(
            List.of(
                name,
                Integer.toString(inner),
                String.format(Locale.ROOT, "%.2e", noise.variance()),
                String.format(Locale.ROOT, "%.2f %%", 100 * noise.relative()),
                String.format(Locale.ROOT, "%.1f dB", noise.decibels())));
      }
      String label = operands == Operands.NORMAL ? "normal" : "heavy-tailed (Student's t, 3)";
      double[] x = noises.stream().mapToDouble(Noise::inner).toArray();
      variance.line(label, x, noises.stream().mapToDouble(Noise::variance).toArray());
      relative.line(label, x, noises.stream().mapToDouble(Noise::relative).toArray());
    }
    Interval slope = slope(all.get(Operands.NORMAL).stream().flatMap(List::stream).toList());
    List<List<Noise>> heavy = all.get(Operands.HEAVY_TAILED);
    Interval growth = Interval.ofRatio(relative(heavy.getLast()), relative(heavy.getFirst()));
    double[] theory = inners.stream().mapToDouble(k -> k).toArray();
    double first = Double.parseDouble(csv.get(1).split(",", -1)[2]);
    variance.line(
        "in proportion to k",
        theory,
        inners.stream().mapToDouble(k -> first * k / SHORTEST).toArray());

    List<List<Noise>> ofLayer = layer(setting, repeats);
    List<Noise> layer = ofLayer.stream().map(Noise::mean).toList();
    for (int i = 0; i < layer.size(); i++) {
      csv.add(row(product(i), layer.get(i)));
    }
    Interval cleaner =
        Interval.ofDifference(decibels(ofLayer.getFirst()), decibels(ofLayer.getLast()));
    return new Findings(
        "Quantization noise of a product against its inner dimension",
        "SwitchBack multiplies in int8 where a sum runs over features (192 to 5120), but not in the"
            + " weight gradient, where it runs over the tokens of a batch (13 to 51 times as many"
            + " in the paper's models). The reason given by Wortsman et al. 2023 (appendix C): the"
            + " variance of the noise grows with the length of the sum.",
        List.of(
            new Verdict(
                "the variance of the noise grows in proportion to the inner dimension",
                slope.isAbove(SLOPE_FROM).and(slope.isBelow(SLOPE_TO)),
                String.format(
                    Locale.ROOT,
                    "The slope of log variance over log k is %s for normal operands. It should be"
                        + " %.1f to %.1f: a little over 1, since the largest of more values is"
                        + " larger, and so is the step of rounding.",
                    slope.text("%.2f"),
                    SLOPE_FROM,
                    SLOPE_TO)),
            new Verdict(
                "with heavy tails the error grows against the product itself",
                growth.isAbove(2),
                String.format(
                    Locale.ROOT,
                    "From k = %d to %d the relative error of heavy-tailed operands grows %s times."
                        + " More than twice counts.",
                    SHORTEST,
                    inners.getLast(),
                    growth.text("%.1f"))),
            new Verdict(
                "in a transformer in training, an int8 weight gradient is noisier than an output",
                cleaner.isAbove(0),
                String.format(
                    Locale.ROOT,
                    "An int8 output over %d features has %s dB more signal to noise than an int8"
                        + " weight gradient over %d tokens, in %d batches of each.",
                    FEATURES,
                    cleaner.text("%.1f"),
                    layer.getLast().inner(),
                    repeats))),
        List.of(
            new Section(
                "Random operands",
                "Products of "
                    + SIDE
                    + " rows and columns, each row with a scale of its own, against exact sums."
                    + " Where signs are random, the product itself grows with the root of k, and so"
                    + " does the noise: their relation stays, but for the step of rounding, which"
                    + " the largest value of a row decides. In heavy tails that value grows fast.",
                List.of(variance, relative),
                new Table(List.of("operands", "k", "variance", "relative error", "SNR"), rows)),
            new Section(
                "A layer in training",
                "Features X in the middle of a small vision transformer after "
                    + LAYER_STEPS
                    + " steps, and the gradients G there. First an output, then weight gradients"
                    + " G^T X over more and more tokens. Gradients of different images cancel in"
                    + " the sum, but their roundings do not.",
                List.of(),
                new Table(
                    List.of("product", "k", "relative error", "SNR"),
                    IntStream.range(0, layer.size())
                        .mapToObj(
                            i ->
                                List.of(
                                    product(i),
                                    Integer.toString(layer.get(i).inner()),
                                    String.format(
                                        Locale.ROOT, "%.2f %%", 100 * layer.get(i).relative()),
                                    String.format(Locale.ROOT, "%.1f dB", layer.get(i).decibels())))
                        .toList()))),
        csv);
  }

  private static List<Noise> draws(Setting setting, Operands operands, int inner, int repeats) {
    String part = "draws-" + operands + "-" + inner;
    if (setting.parts().hasNumbers(part)) {
      setting.skip(repeats);
    }
    double[] numbers = setting.parts().numbers(part, () -> draw(setting, operands, inner, repeats));
    return IntStream.range(0, repeats)
        .mapToObj(i -> new Noise(inner, numbers[2 * i], numbers[2 * i + 1]))
        .toList();
  }

  /** Variance and size of the error of each product. */
  private static double[] draw(Setting setting, Operands operands, int inner, int repeats) {
    double[] numbers = new double[2 * repeats];
    for (int i = 0; i < repeats; i++) {
      CounterRandom random = new CounterRandom(setting.seed()).split(inner).split(i);
      FloatMatrix a = operands.matrix(SIDE, inner, random.split(0));
      FloatMatrix b = operands.matrix(SIDE, inner, random.split(1));
      Noise noise = noise(setting.kernels(), Form.NT, a, b);
      numbers[2 * i] = noise.variance();
      numbers[2 * i + 1] = noise.relative();
      setting.step("k = " + inner);
      if (setting.isInterrupted()) {
        throw new Setting.Interrupted();
      }
    }
    return numbers;
  }

  /** The error of an int8 product in which each row and column has a scale. */
  private static Noise noise(Kernels kernels, Form form, FloatMatrix a, FloatMatrix b) {
    boolean overRows = form == Form.TN;
    Scaling scaling = overRows ? Scaling.COLUMN : Scaling.ROW;
    QuantizedMatrix aq = new QuantizedMatrix(scaling);
    QuantizedMatrix bq = new QuantizedMatrix(scaling);
    kernels.quantize(a, aq);
    kernels.quantize(b, bq);
    int rows = overRows ? a.cols() : a.rows();
    int cols = overRows ? b.cols() : b.rows();
    int inner = overRows ? a.rows() : a.cols();
    FloatMatrix c = FloatMatrix.allocate(rows, cols);
    kernels.multiply(ElementType.INT8, form, aq, bq, Epilogue.STORE, c);
    double errors = 0;
    double exacts = 0;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        double exact = 0;
        for (int t = 0; t < inner; t++) {
          exact +=
              overRows ? (double) a.get(t, i) * b.get(t, j) : (double) a.get(i, t) * b.get(j, t);
        }
        double error = c.get(i, j) - exact;
        errors += error * error;
        exacts += exact * exact;
      }
    }
    return new Noise(inner, errors / ((double) rows * cols), Math.sqrt(errors / exacts));
  }

  /**
   * An output of real features, then weight gradients over the tokens of larger and larger batches,
   * of each from as many batches.
   */
  private static List<List<Noise>> layer(Setting setting, int repeats) {
    WatchedTraining training =
        WatchedTraining.run(
            setting,
            new WatchedTraining.Plan(
                "training",
                new SmallTransformer.Shape(4, FEATURES, 3, Precision.FLOAT32, Optional.empty()),
                (kernels, parameters) -> new AdamW(kernels, parameters, AdamW.Settings.DEFAULT),
                Float.POSITIVE_INFINITY,
                64,
                LAYER_STEPS,
                step -> 1e-3,
                step -> 1,
                false));
    List<Noise> outputs = new ArrayList<>();
    List<List<Noise>> noises = new ArrayList<>(List.of(outputs));
    FloatMatrix w = Operands.NORMAL.matrix(FEATURES, FEATURES, new CounterRandom(7));
    for (int batch : BATCHES) {
      WatchedTraining.Batches batches =
          new WatchedTraining.Batches(setting.images().training(), batch, setting.seed());
      List<Noise> gradients = new ArrayList<>();
      for (int i = 0; i < repeats; i++) {
        batches.next();
        Tape none = Tape.none(setting.kernels());
        FloatMatrix x = training.model().through(none, Tensor.of(batches.pixels()), 0, 2).value();
        Tensor features = Tensor.withGrad(x);
        Tape tape = Tape.recording(setting.kernels());
        tape.backward(training.model().rest(tape, 2, features, batches.labels()));
        if (batch == BATCHES[0]) {
          outputs.add(noise(setting.kernels(), Form.NT, x, w));
        }
        gradients.add(noise(setting.kernels(), Form.TN, features.grad(), x));
      }
      noises.add(gradients);
    }
    return noises;
  }

  /** The name of a product of {@link #layer}. */
  private static String product(int i) {
    return i == 0 ? "output" : "weight gradient";
  }

  private static String row(String operands, Noise noise) {
    return String.format(
        Locale.ROOT,
        "%s,%d,%.6e,%.6e,%.3f",
        operands,
        noise.inner(),
        noise.variance(),
        noise.relative(),
        noise.decibels());
  }

  private static double[] relative(List<Noise> noises) {
    return noises.stream().mapToDouble(Noise::relative).toArray();
  }

  private static double[] decibels(List<Noise> noises) {
    return noises.stream().mapToDouble(Noise::decibels).toArray();
  }

  /** The slope of a line through the logarithms. */
  private static Interval slope(List<Noise> noises) {
    return Interval.ofSlope(
        noises.stream().mapToDouble(n -> Math.log(n.inner())).toArray(),
        noises.stream().mapToDouble(n -> Math.log(n.variance())).toArray());
  }
}
