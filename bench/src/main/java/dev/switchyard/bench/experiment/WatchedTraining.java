package dev.switchyard.bench.experiment;

import dev.switchyard.bench.data.ImageDataset;
import dev.switchyard.bench.data.Normalization;
import dev.switchyard.bench.train.TrainingRun;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.optim.GradientClipping;
import dev.switchyard.layers.optim.LossSpikes;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.StabilityMonitor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;

/** Trains a small transformer and writes down what happens, from where an earlier process left. */
final class WatchedTraining {
  /**
   * How to train.
   *
   * @param name for those who wait
   * @param shape of the model
   * @param optimizer makes the optimizer
   * @param clip the largest norm of all gradients together; infinity for no clipping
   * @param batch images a step
   * @param steps how many
   * @param rate the learning rate of each step
   * @param gradientScale what the gradients of each step are multiplied with; the loss is not
   * @param monitored whether to watch each update, which takes longer
   */
  record Plan(
      String name,
      SmallTransformer.Shape shape,
      OptimizerOf optimizer,
      float clip,
      int batch,
      int steps,
      IntToDoubleFunction rate,
      IntToDoubleFunction gradientScale,
      boolean monitored) {}

  /** Makes an optimizer. */
  interface OptimizerOf {
    Optimizer create(Kernels kernels, List<Parameter> parameters);
  }

  private final Setting setting;
  private final Plan plan;
  private final SmallTransformer model;
  private final Measurements measurements;
  private final double[] losses;

  private WatchedTraining(Setting setting, Plan plan) {
    this.setting = setting;
    this.plan = plan;
    this.model = new SmallTransformer(plan.shape(), setting.images().training(), setting.seed());
    this.measurements = new Measurements(plan.steps());
    this.losses = new double[plan.steps()];
    Arrays.fill(losses, Double.NaN);
  }

  /**
   * Runs it to its end, or until nothing is a number any more.
   *
   * @throws Setting.Interrupted if someone wants an end; the training has been saved
   */
  static WatchedTraining run(Setting setting, Plan plan) {
    WatchedTraining training = new WatchedTraining(setting, plan);
    training.run();
    return training;
  }

  private void run() {
    Kernels kernels = setting.kernels();
    Optimizer optimizer = plan.optimizer().create(kernels, model.parameters());
    if (plan.monitored()) {
      optimizer.setMonitor(
          new StabilityMonitor(measurements, warning -> {}, LossSpikes.Settings.DEFAULT));
    }
    TrainingRun kept = setting.parts().training(plan.name());
    int done = restore(kept, optimizer);
    setting.skip(done);
    Tape tape = Tape.recording(kernels);
    tape.resumeAfter(done);
    Batches batches = new Batches(setting.images().training(), plan.batch(), setting.seed());
    for (int step = 0; step < done; step++) {
      batches.next();
    }
    for (int step = done; step < plan.steps(); step++) {
      if (step == 0 || Double.isFinite(losses[step - 1])) {
        try {
          losses[step] = step(kernels, tape, optimizer, batches, step);
        } catch (NonFiniteException diverged) {
          tape.reset();
        }
      }
      setting.step(String.format(Locale.ROOT, "%s, loss %.3f", plan.name(), losses[step]));
      boolean leaves = setting.isInterrupted();
      if (leaves || step + 1 == plan.steps() || kept.isDue(step + 1, plan.steps())) {
        List<Double> sofar = Arrays.stream(losses, 0, step + 1).boxed().toList();
        kept.save(model.parameters(), optimizer, measurements.save(), sofar, plan.steps());
      }
      if (leaves) {
        throw new Setting.Interrupted();
      }
    }
  }

  /** The steps that are done. */
  private int restore(TrainingRun kept, Optimizer optimizer) {
    List<Double> before =
        kept.restore(
            model.parameters(),
            optimizer,
            saved -> measurements.restore(saved, (int) kept.steps()));
    for (int i = 0; i < before.size(); i++) {
      losses[i] = before.get(i);
    }
    return before.size();
  }

  private double step(Kernels kernels, Tape tape, Optimizer optimizer, Batches batches, int step) {
    batches.next();
    Tensor loss = model.loss(tape, Tensor.of(batches.pixels()), batches.labels());
    double value = loss.value().get(0, 0);
    if (Double.isFinite(value)) {
      float scale = (float) plan.gradientScale().applyAsDouble(step);
      tape.backward(loss, FloatMatrix.of(new float[] {scale}, 1, 1));
      if (plan.clip() < Float.POSITIVE_INFINITY) {
        GradientClipping.clip(kernels, model.parameters(), plan.clip());
      }
      optimizer.step((float) plan.rate().applyAsDouble(step));
      optimizer.zeroGrad();
    }
    tape.reset();
    return value;
  }

  SmallTransformer model() {
    return model;
  }

  /** The loss of each step; not a number once the training has diverged. */
  double[] losses() {
    return losses.clone();
  }

  Measurements measurements() {
    return measurements;
  }

  /** The last tenth of the losses. */
  double[] lastLosses() {
    int tenth = Math.max(1, losses.length / 10);
    return Arrays.copyOfRange(losses, losses.length - tenth, losses.length);
  }

  /** Their mean. */
  double finalLoss() {
    return Arrays.stream(lastLosses()).average().orElseThrow();
  }

  /** Batches in a random order, pass after pass. */
  static final class Batches {
    private final ImageDataset from;
    private final Normalization normalization;
    private final CounterRandom random;
    private final FloatMatrix pixels;
    private final int[] labels;
    private int[] order = {};
    private int epoch;
    private int next;

    Batches(ImageDataset from, int size, long seed) {
      this.from = from;
      this.normalization = from.normalization();
      this.random = new CounterRandom(seed).split(-1);
      this.pixels = FloatMatrix.allocate(size, from.pixelsPerImage());
      this.labels = new int[size];
    }

    void next() {
      if (next + labels.length > order.length) {
        order = random.permutation(from.count(), epoch++);
        next = 0;
      }
      from.gatherImages(order, next, labels.length, normalization, pixels.data());
      from.gatherLabels(order, next, labels.length, labels);
      next += labels.length;
    }

    FloatMatrix pixels() {
      return pixels;
    }

    int[] labels() {
      return labels;
    }
  }
}
