package dev.switchyard.bench.train;

import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.optim.WarmupCosine;
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

  static final double NANOS_A_MILLI = 1e6;

  private final TrainOptions options;
  private final FashionMnist images;
  private final Processes processes;
  private final TrainingTask task;
  private final Kernels kernels;
  private final int stepsAnEpoch;
  private final int steps;
  private Map<String, Object> exchangeCosts = Map.of();

  /**
   * Prepares trainings on some images.
   *
   * @param options what to train and how
   * @param images training and test images
   */
  public Trainer(TrainOptions options, FashionMnist images) {
    this(options, images, Processes.alone());
  }

  /**
   * Prepares trainings that processes share.
   *
   * @param options what to train and how
   * @param images training and test images
   * @param processes that train
   */
  public Trainer(TrainOptions options, FashionMnist images, Processes processes) {
    this.options = options;
    this.images = images;
    this.processes = processes;
    this.task = options.task().create(options, images, processes.collective());
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

  /** What sharing the last training among processes cost; empty for one alone. */
  Map<String, Object> exchangeCosts() {
    return exchangeCosts;
  }

  /** What the accuracy in the results is called. */
  public String accuracyName() {
    return task.accuracyName();
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
  public Optional<TrainingResult> run(
      TrainingRun run, Precision precision, StepListener listener, BooleanSupplier interrupted) {
    OwnTraining training = new OwnTraining(run, precision, task, options, processes, kernels);
    return run(training, listener, interrupted);
  }

  /**
   * Trains the same model in PyTorch, from the beginning to the end.
   *
   * @param autocast whether products are in bfloat16
   * @param listener is told of each step
   * @param interrupted asked after each step whether to leave
   * @return how it went; nothing if it was interrupted
   */
  Optional<TrainingResult> runTorch(
      boolean autocast, StepListener listener, BooleanSupplier interrupted) {
    List<Parameter> parameters = task.model(Precision.FLOAT32).parameters();
    TorchTraining training = new TorchTraining(autocast, options, images, parameters);
    return run(training, listener, interrupted);
  }

  private Optional<TrainingResult> run(
      Training training, StepListener listener, BooleanSupplier interrupted) {
    List<Double> losses = training.losses();
    int lastEpoch = Math.max(losses.size(), steps - stepsAnEpoch);
    WarmupCosine schedule = new WarmupCosine(options.rate(), 0, (int) (WARMUP * steps), steps);
    CounterRandom shuffle = new CounterRandom(options.seed()).split(-1);
    int[] order = {};
    long nanos = 0;
    boolean leave = false;
    for (int step = losses.size(); step < steps; step++) {
      int epoch = step / stepsAnEpoch;
      if (order.length == 0 || step % stepsAnEpoch == 0) {
        order = shuffle.permutation(task.examples(), epoch);
      }
      if (step == lastEpoch) {
        training.startTiming();
        nanos = 0;
      }
      long start = System.nanoTime();
      int from = step % stepsAnEpoch * options.batch();
      losses.add(training.step(epoch, order, from, schedule.rate(step)));
      nanos += System.nanoTime() - start;
      listener.onStep(step + 1, steps, losses.getLast(), options.batch());
      if (step + 1 < steps) { // the last is saved with the result
        leave |= processes.any(interrupted.getAsBoolean());
        boolean leaveNow = leave && training.canSave();
        if (leaveNow || training.isSaveDue(step + 1, stepsAnEpoch)) {
          training.save(stepsAnEpoch);
        }
        if (leaveNow) {
          return Optional.empty();
        }
      }
    }
    int timed = steps - lastEpoch;
    double stepMillis = nanos / NANOS_A_MILLI / timed;
    TrainingResult result =
        new TrainingResult(
            training.name(),
            training.accuracy(),
            mean(losses.subList(steps - stepsAnEpoch, steps)),
            stepMillis,
            training.partsMillis(nanos, timed),
            options.batch() / stepMillis * 1000,
            losses);
    training.finish(result);
    exchangeCosts = processes.count() > 1 ? training.exchangeCosts() : Map.of();
    return Optional.of(result);
  }

  private static double mean(List<Double> losses) {
    return losses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
  }
}
