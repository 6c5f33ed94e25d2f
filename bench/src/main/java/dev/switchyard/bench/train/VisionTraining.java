package dev.switchyard.bench.train;

import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.data.ImageDataset;
import dev.switchyard.bench.data.Normalization;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.BlockOptions;
import dev.switchyard.layers.CrossEntropy;
import dev.switchyard.layers.PatchEmbedding;
import dev.switchyard.layers.Pooling;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import dev.switchyard.layers.SequenceHead;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.Transformer;
import dev.switchyard.layers.VisionTransformer;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.WarmupCosine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Trains a {@link VisionTransformer} once a precision. Weights and the order of batches depend on
 * the seed alone, so that the runs differ in nothing but the precision.
 */
public final class VisionTraining {
  /** Pixels across a patch: a 28x28 image becomes 16 tokens. */
  private static final int PATCH = 7;

  private static final int CHANNELS = 1;

  private static final float PEAK_RATE = 1e-3f;

  /** The part of all steps in which the learning rate rises. */
  private static final double WARMUP = 0.1;

  private static final AdamW.Settings ADAMW = new AdamW.Settings(0.9f, 0.98f, 1e-8f, 0.05f);
  private static final double NANOS_A_MILLI = 1e6;

  private final TrainOptions options;
  private final ImageDataset training;
  private final ImageDataset test;
  private final Normalization normalization;
  private final Kernels kernels;

  /**
   * Prepares trainings on some images.
   *
   * @param options what to train and how
   * @param images training and test images
   */
  public VisionTraining(TrainOptions options, FashionMnist images) {
    this.options = options;
    this.training = images.training();
    this.test = images.test();
    this.normalization = training.normalization();
    this.kernels = Kernels.create(Parallel.ofThreads(options.threads()));
  }

  /**
   * What computes.
   *
   * @return the backend and why it was chosen
   */
  public String backend() {
    return kernels.backend().reason();
  }

  /**
   * Trains from the beginning and tests the outcome. Times are means over the last epoch, in which
   * all code is compiled.
   *
   * @param precision of the linear layers of the blocks
   * @param listener is told of each step
   * @return how it went
   */
  public TrainingResult run(Precision precision, StepListener listener) {
    VisionTransformer model = model(precision);
    AdamW optimizer = new AdamW(kernels, model.parameters(), ADAMW);
    Profile profile = new Profile();
    Tape tape = Tape.recording(kernels, profile);
    CrossEntropy crossEntropy = new CrossEntropy();
    CounterRandom shuffle = new CounterRandom(options.seed()).split(-1);

    int batch = options.batch();
    int stepsAnEpoch = training.count() / batch;
    int steps = options.epochs() * stepsAnEpoch;
    WarmupCosine schedule = new WarmupCosine(PEAK_RATE, 0, (int) (WARMUP * steps), steps);
    Batch images = new Batch(training, batch);
    List<Double> losses = new ArrayList<>(steps);
    long lastEpochNanos = 0;
    for (int epoch = 0; epoch < options.epochs(); epoch++) {
      int[] order = shuffle.permutation(training.count(), epoch);
      profile.clear();
      long epochStart = System.nanoTime();
      for (int i = 0; i < stepsAnEpoch; i++) {
        images.gather(order, i * batch);
        Tensor loss =
            crossEntropy.forward(tape, model.forward(tape, images.tensor()), images.labels());
        losses.add((double) loss.value().get(0, 0));
        tape.backward(loss);
        float rate = schedule.rate(epoch * stepsAnEpoch + i);
        profile.measure(Part.OPTIMIZER, () -> update(optimizer, rate));
        tape.reset();
        listener.onStep(losses.size(), steps, losses.getLast(), batch);
      }
      lastEpochNanos = System.nanoTime() - epochStart;
    }
    double stepMillis = lastEpochNanos / NANOS_A_MILLI / stepsAnEpoch;
    return new TrainingResult(
        precision.name(),
        accuracy(model),
        mean(losses.subList(losses.size() - stepsAnEpoch, losses.size())),
        stepMillis,
        parts(profile, lastEpochNanos, stepsAnEpoch),
        batch / stepMillis * 1000,
        losses);
  }

  /** Patch embedding and head stay in float32, as in Wortsman et al. 2023. */
  private VisionTransformer model(Precision precision) {
    CounterRandom random = new CounterRandom(options.seed());
    int width = options.width();
    BlockOptions blocks = BlockOptions.of(width, options.heads(), precision);
    return new VisionTransformer(
        new PatchEmbedding(
            "embedding",
            CHANNELS,
            training.rows(),
            training.columns(),
            PATCH,
            width,
            Precision.FLOAT32,
            random.split(0)),
        new Transformer("blocks", options.depth(), blocks, random.split(2)),
        SequenceHead.scores("head", width, training.classes(), Pooling.MEAN, random.split(1)));
  }

  private static void update(AdamW optimizer, float rate) {
    optimizer.step(rate);
    optimizer.zeroGrad();
  }

  private static double mean(List<Double> losses) {
    return losses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
  }

  private static Map<String, Double> parts(Profile profile, long totalNanos, int steps) {
    Map<String, Double> parts = new LinkedHashMap<>();
    double scale = 1 / (NANOS_A_MILLI * steps);
    parts.put("quantize", profile.nanos(Part.QUANTIZE) * scale);
    parts.put("multiply", profile.nanos(Part.MULTIPLY) * scale);
    parts.put("weightGradient", profile.nanos(Part.WEIGHT_GRADIENT) * scale);
    parts.put("attention", profile.nanos(Part.ATTENTION) * scale);
    parts.put("optimizer", profile.nanos(Part.OPTIMIZER) * scale);
    parts.put("rest", profile.restNanos(totalNanos) * scale);
    return parts;
  }

  /** The part of the test images whose highest score is that of their class. */
  private double accuracy(VisionTransformer model) {
    Tape tape = Tape.none(kernels);
    int[] order = IntStream.range(0, test.count()).toArray();
    int right = 0;
    for (int from = 0; from < order.length; from += options.batch()) {
      Batch images = new Batch(test, Math.min(options.batch(), order.length - from));
      images.gather(order, from);
      FloatMatrix scores = model.forward(tape, images.tensor()).value();
      for (int i = 0; i < scores.rows(); i++) {
        right += highest(scores, i) == images.labels()[i] ? 1 : 0;
      }
    }
    return (double) right / order.length;
  }

  private static int highest(FloatMatrix scores, int row) {
    int highest = 0;
    for (int j = 1; j < scores.cols(); j++) {
      highest = scores.get(row, j) > scores.get(row, highest) ? j : highest;
    }
    return highest;
  }

  /** Images of a step, normalized, and their labels; filled anew for each. */
  private final class Batch {
    private final ImageDataset from;
    private final FloatMatrix pixels;
    private final int[] labels;

    Batch(ImageDataset from, int size) {
      this.from = from;
      this.pixels = FloatMatrix.allocate(size, from.pixelsPerImage());
      this.labels = new int[size];
    }

    void gather(int[] order, int first) {
      from.gatherImages(order, first, labels.length, normalization, pixels.data());
      from.gatherLabels(order, first, labels.length, labels);
    }

    Tensor tensor() {
      return Tensor.of(pixels);
    }

    int[] labels() {
      return labels;
    }
  }
}
