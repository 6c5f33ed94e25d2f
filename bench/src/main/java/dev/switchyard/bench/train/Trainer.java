package dev.switchyard.bench.train;

import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.measuring.Measuring;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.optim.Schedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * Trains the model of a task once a precision. Weights and the order of batches depend on the seed
 * alone, so that the runs differ in nothing but the precision.
 */
public final class Trainer {
  /** Steps of a turn of {@link #times} where time is no concern. */
  public static final int STEPS_OF_A_TURN = 5;

  /** The part of all steps in which the learning rate rises. */
  private static final double WARMUP = 0.1;

  private final TrainOptions options;
  private final FashionMnist images;
  private final Processes processes;
  private final TrainingTask task;
  private final Kernels kernels;
  private final Tape storage; // of all trainings, which take turns
  private final int stepsAnEpoch;
  private final int steps;
  private final List<Training> ended = new ArrayList<>();
  private Map<String, Object> exchangeCosts = Map.of();

  /**
   * Prepares trainings on some images.
   *
   * @param options what to train and how
   * @param images training and test images
   */
  public Trainer(TrainOptions options, FashionMnist images) {
    this(options, images, Processes.alone(), options.steps(images));
  }

  /**
   * Prepares trainings that processes share.
   *
   * @param options what to train and how
   * @param images training and test images
   * @param processes that train
   * @param steps how many; the number of epochs does not count
   */
  public Trainer(TrainOptions options, FashionMnist images, Processes processes, int steps) {
    this.options = options;
    this.images = images;
    this.processes = processes;
    this.task = options.task().create(options, images, processes.collective());
    this.kernels = Kernels.create(Parallel.ofThreads(options.threads()));
    this.storage = Tape.recording(kernels);
    this.stepsAnEpoch = task.examples() / options.batch();
    this.steps = steps;
  }

  TrainOptions options() {
    return options;
  }

  /** The backend and why it was chosen. */
  public String backend() {
    return kernels.backend().reason();
  }

  /** The backend. */
  String backendName() {
    return kernels.backend().name();
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
   * Trains to the end, from where the run's checkpoints end, and tests the outcome.
   *
   * @param run where the run is kept
   * @param listener is told of each step
   * @param interrupted asked after each step whether to save and leave
   * @return how it went; nothing if it was interrupted
   */
  public Optional<TrainingResult> run(
      TrainingRun run, Precision precision, StepListener listener, BooleanSupplier interrupted) {
    OwnTraining training = new OwnTraining(run, precision, task, options, processes, storage);
    Optional<TrainingResult> saved = run.result();
    Optional<TrainingResult> result =
        saved.isPresent() ? saved : run(training, listener, interrupted);
    return keep(training, result);
  }

  /**
   * Trains the same model in PyTorch, from the beginning to the end.
   *
   * @param measuring has PyTorch
   * @param autocast whether products are in bfloat16
   * @param listener is told of each step
   * @param interrupted asked after each step whether to leave
   * @return how it went; nothing if it was interrupted
   */
  Optional<TrainingResult> runTorch(
      Measuring measuring, boolean autocast, StepListener listener, BooleanSupplier interrupted) {
    List<Parameter> parameters = task.model(Precision.FLOAT32).parameters();
    TorchTraining training = new TorchTraining(measuring, autocast, options, images, parameters);
    return keep(training, run(training, listener, interrupted));
  }

  private Optional<TrainingResult> keep(Training training, Optional<TrainingResult> result) {
    if (result.isPresent()) {
      ended.add(training);
      exchangeCosts = processes.count() > 1 ? training.exchangeCosts() : Map.of();
    }
    return result;
  }

  /**
   * Measures steps of the trainings that have ended here, see {@link Timing}.
   *
   * @param stepsOfATurn at least; as many as processes make alone, if those are more
   * @param interrupted asked now and then whether to leave
   * @return the times of each, in the order they ran; nothing if it was interrupted
   */
  public Optional<List<StepTimes>> times(
      int stepsOfATurn, ProgressDisplay progress, BooleanSupplier interrupted) {
    int[] order = IntStream.range(0, task.examples()).toArray();
    float rate = schedule().rate(steps - 1);
    Timing timing =
        new Timing(
            ended,
            Math.max(stepsOfATurn, options.sharing().localSteps()),
            (training, i) -> training.step(0, order, i % stepsAnEpoch * options.batch(), rate));
    return timing.run(progress, () -> processes.any(interrupted.getAsBoolean()));
  }

  /** Makes no further step of those that have ended here; not after a failure. */
  void close() {
    ended.forEach(Training::close);
  }

  private Schedule schedule() {
    return Schedule.cosine(options.rate(), (int) (WARMUP * steps), steps);
  }

  private Optional<TrainingResult> run(
      Training training, StepListener listener, BooleanSupplier interrupted) {
    List<Double> losses = training.losses();
    Schedule schedule = schedule();
    CounterRandom shuffle = new CounterRandom(options.seed()).split(-1);
    int[] order = {};
    boolean leave = false;
    for (int step = losses.size(); step < steps; step++) {
      int epoch = step / stepsAnEpoch;
      if (order.length == 0 || step % stepsAnEpoch == 0) {
        order = shuffle.permutation(task.examples(), epoch);
      }
      int from = step % stepsAnEpoch * options.batch();
      losses.add(training.step(epoch, order, from, schedule.rate(step)));
      listener.onStep(step + 1, steps, lossOfEpoch(losses), options.batch());
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
    TrainingResult result =
        new TrainingResult(
            training.name(),
            images.test().count(),
            training.mistakes(),
            lossOfEpoch(losses),
            losses);
    training.finish(result);
    return Optional.of(result);
  }

  /** The mean of the losses of the epoch that the last step belongs to, up to that step. */
  private double lossOfEpoch(List<Double> losses) {
    int from = (losses.size() - 1) / stepsAnEpoch * stepsAnEpoch;
    return losses.subList(from, losses.size()).stream()
        .mapToDouble(Double::doubleValue)
        .average()
        .orElse(Double.NaN);
  }
}
