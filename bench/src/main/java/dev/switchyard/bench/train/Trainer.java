package dev.switchyard.bench.train;

import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.WarmupCosine;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Trains the model of a task once a precision. Weights and the order of batches depend on the seed
 * alone, so that the runs differ in nothing but the precision.
 */
public final class Trainer {
  /** The part of all steps in which the learning rate rises. */
  private static final double WARMUP = 0.1;

  private static final double NANOS_A_MILLI = 1e6;

  private final TrainOptions options;
  private final TrainingTask task;
  private final Kernels kernels;
  private final int stepsAnEpoch;
  private final int steps;

  /**
   * Prepares trainings on some images.
   *
   * @param options what to train and how
   * @param images training and test images
   */
  public Trainer(TrainOptions options, FashionMnist images) {
    this.options = options;
    this.task = options.task().create(options, images);
    this.kernels = Kernels.create(Parallel.ofThreads(options.threads()));
    this.stepsAnEpoch = task.examples() / options.batch();
    this.steps = options.epochs() * stepsAnEpoch;
  }

  TrainOptions options() {
    return options;
  }

  /** The backend and why it was chosen. */
  public String backend() {
    return kernels.backend().reason();
  }

  /** What the accuracy in the results is called. */
  public String accuracyName() {
    return task.accuracyName();
  }

  /**
   * Trains from the beginning to the end, and tests the outcome.
   *
   * @param precision of the linear layers of the blocks
   * @param listener is told of each step
   * @return how it went
   */
  public TrainingResult run(Precision precision, StepListener listener) {
    return run(TrainingRun.forgotten(), precision, listener, () -> false).orElseThrow();
  }

  /**
   * Trains to the end, from where the run's checkpoints end, and tests the outcome. Times are means
   * over those steps of the last epoch, in which all code is compiled, that were run now.
   *
   * @param run where the run is kept
   * @param listener is told of each step
   * @param interrupted asked after each step whether to save and leave
   * @return how it went; nothing if it was interrupted
   */
  Optional<TrainingResult> run(
      TrainingRun run, Precision precision, StepListener listener, BooleanSupplier interrupted) {
    TrainingTask.Learner model = task.model(precision);
    Optimizer optimizer = options.optimizer().create(kernels, model.parameters());
    List<Double> losses = run.restore(model.parameters(), optimizer);
    int lastEpoch = Math.max(losses.size(), steps - stepsAnEpoch);
    WarmupCosine schedule = new WarmupCosine(options.rate(), 0, (int) (WARMUP * steps), steps);
    CounterRandom shuffle = new CounterRandom(options.seed()).split(-1);
    int[] order = {};
    Profile profile = new Profile();
    Tape tape = Tape.recording(kernels, profile);
    tape.startAt(losses.size() + 1);
    long nanos = 0;
    for (int step = losses.size(); step < steps; step++) {
      int epoch = step / stepsAnEpoch;
      if (order.length == 0 || step % stepsAnEpoch == 0) {
        order = shuffle.permutation(task.examples(), epoch);
      }
      if (step == lastEpoch) {
        profile.clear();
        nanos = 0;
      }
      long start = System.nanoTime();
      Tensor loss = model.loss(tape, epoch, order, step % stepsAnEpoch * options.batch());
      losses.add((double) loss.value().get(0, 0));
      tape.backward(loss);
      float rate = schedule.rate(step);
      profile.measure(Part.OPTIMIZER, () -> update(optimizer, rate));
      tape.reset();
      nanos += System.nanoTime() - start;
      listener.onStep(step + 1, steps, losses.getLast(), options.batch());
      if (step + 1 < steps) { // the last is saved with the result
        boolean leave = interrupted.getAsBoolean();
        if (leave || run.isDue(step + 1, stepsAnEpoch)) {
          run.save(model.parameters(), optimizer, losses, stepsAnEpoch);
        }
        if (leave) {
          return Optional.empty();
        }
      }
    }
    int timed = steps - lastEpoch;
    double stepMillis = nanos / NANOS_A_MILLI / timed;
    TrainingResult result =
        new TrainingResult(
            precision.name(),
            model.accuracy(kernels),
            mean(losses.subList(steps - stepsAnEpoch, steps)),
            stepMillis,
            parts(profile, nanos, timed),
            options.batch() / stepMillis * 1000,
            losses);
    run.finish(model.parameters(), optimizer, result);
    return Optional.of(result);
  }

  private static void update(Optimizer optimizer, float rate) {
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
}
