package dev.switchyard.layers.training;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.io.CheckpointFolder;
import dev.switchyard.layers.optim.GradientClipping;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.Schedule;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.ToDoubleFunction;

/**
 * The usual training loop:
 *
 * <pre>
 *   for each step:   for each of its batches: go back from the batch's loss / number of batches
 *                    clip; update with the schedule's rate; set gradients to zero
 *   now and then:    evaluate; end if it has not become better for long; save a checkpoint
 * </pre>
 *
 * <p>With a folder for checkpoints, a run begins with the newest one there, and goes on bit for bit
 * as if it had not been interrupted. Without one, a run that an exception has ended goes on behind
 * the last whole step; an optimizer whose update has failed half-way refuses that. For use by one
 * thread, but for {@link #stop()}.
 */
public final class Trainer {
  private final Kernels kernels;
  private final List<Parameter> parameters;
  private final Optimizer optimizer;
  private final Schedule schedule;
  private final int steps;
  private int batchesPerStep = 1;
  private float maxNorm = Float.POSITIVE_INFINITY;
  private ToDoubleFunction<Tape> measure;
  private int evaluateEvery;
  private int patience = Integer.MAX_VALUE;
  private int saveEvery;
  private TrainerCheckpoints checkpoints; // or null
  private TrainingListener listener = new TrainingListener() {};
  private TrainerState state = TrainerState.NEW;
  private volatile boolean stopping;

  /**
   * A training at its first step.
   *
   * @param kernels what computes
   * @param parameters of all that is trained, frozen ones and those of a loss too
   * @param optimizer over them
   * @param schedule the learning rate of each step
   * @param steps how many updates to make
   * @throws IllegalArgumentException if the number is negative
   */
  public Trainer(
      Kernels kernels,
      List<Parameter> parameters,
      Optimizer optimizer,
      Schedule schedule,
      int steps) {
    this.kernels = Objects.requireNonNull(kernels, "kernels");
    this.parameters = List.copyOf(parameters);
    this.optimizer = Objects.requireNonNull(optimizer, "optimizer");
    this.schedule = Objects.requireNonNull(schedule, "schedule");
    this.steps = atLeast(0, "steps", steps);
  }

  private static int atLeast(int least, String name, int value) {
    if (value < least) {
      throw new IllegalArgumentException(
          name + " is " + value + " (expected " + least + " or more)");
    }
    return value;
  }

  /**
   * Adds up the gradients of several batches before each update, for what does not fit into memory
   * at once; each batch counts alike.
   *
   * @param batches of a step, from 1
   * @return this
   */
  public Trainer accumulate(int batches) {
    batchesPerStep = atLeast(1, "batches", batches);
    return this;
  }

  /**
   * Clips gradients, see {@link GradientClipping}.
   *
   * @param norm the largest norm over all parameters, more than 0
   * @return this
   */
  public Trainer clip(float norm) {
    if (!(norm > 0 && norm <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException("norm is " + norm + " (expected more than 0, and finite)");
    }
    maxNorm = norm;
    return this;
  }

  /**
   * Measures how good the model is, after some of the steps and after the last.
   *
   * @param every steps from one evaluation to the next, from 1
   * @param newMeasure computes, on a tape for inference, what is the less the better; NaN is not
   *     better
   * @return this
   */
  public Trainer evaluate(int every, ToDoubleFunction<Tape> newMeasure) {
    evaluateEvery = atLeast(1, "every", every);
    measure = Objects.requireNonNull(newMeasure, "newMeasure");
    return this;
  }

  /**
   * Ends early (Prechelt 1998) when so many evaluations in turn were no better than the best before
   * them. The weights are then the latest: a listener keeps the best.
   *
   * @param evaluations how many, from 1
   * @return this
   */
  public Trainer stopAfter(int evaluations) {
    patience = atLeast(1, "evaluations", evaluations);
    return this;
  }

  /**
   * Saves checkpoints, after some of the steps and at the end of a run.
   *
   * @param to where; a run begins with the newest that is there
   * @param every steps from one to the next, from 1
   * @param ofAll the seed of all that is random; the checkpoint of another is refused
   * @return this
   */
  public Trainer checkpoint(CheckpointFolder to, int every, long ofAll) {
    saveEvery = atLeast(1, "every", every);
    checkpoints = new TrainerCheckpoints(Objects.requireNonNull(to, "to"), ofAll);
    return this;
  }

  /**
   * Has someone told how it goes.
   *
   * @param newListener in place of the one before
   * @return this
   */
  public Trainer listen(TrainingListener newListener) {
    listener = Objects.requireNonNull(newListener, "newListener");
    return this;
  }

  /** Ends the run after its present step, or the next run before its first; from any thread. */
  public void stop() {
    stopping = true;
  }

  /**
   * Trains until all steps are made, or something ends it before.
   *
   * @param batches what to learn from
   * @param loss computes the mean loss of a batch, 1x1, and records on the tape how to go back
   * @param <B> a batch
   * @return what it has come to
   * @throws IOException if a checkpoint cannot be read or written
   * @throws IllegalArgumentException if the newest checkpoint is of another model, optimizer, seed,
   *     number of batches or accumulation, or a pass has no batches; nothing is changed then
   */
  public <B> TrainingResult run(Batches<B> batches, BiFunction<Tape, B, Tensor> loss)
      throws IOException {
    atLeast(1, "batches.perPass()", batches.perPass());
    if (checkpoints != null) {
      state = checkpoints.newest(parameters, optimizer, data(batches)).orElse(state);
    }
    optimizer.zeroGrad();
    Tape tape = Tape.recording(kernels); // a new one, on which nothing is half done
    tape.resumeAfter((long) state.done() * batchesPerStep);
    Tape inference = Tape.inference(kernels);
    while (true) {
      boolean last = state.done() >= steps;
      if (isDue(state.evaluated(), evaluateEvery, last)) {
        evaluate(inference);
      }
      boolean noBetter = state.worse() >= patience;
      boolean ends = last || noBetter || stopping;
      if (isDue(state.saved(), saveEvery, ends)) {
        checkpoints.save(state, parameters, optimizer, data(batches));
        state = state.afterSaving();
      }
      if (ends) {
        TrainingResult.End end =
            last
                ? TrainingResult.End.FINISHED
                : noBetter ? TrainingResult.End.NO_BETTER : TrainingResult.End.STOPPED;
        stopping = false;
        return new TrainingResult(end, state.done(), state.best(), state.bestDone());
      }
      step(tape, batches, loss);
    }
  }

  /** Whether to do again what is done every few steps, and not twice at one. */
  private boolean isDue(int doneAt, int every, boolean last) {
    return every > 0 && doneAt < state.done() && (last || state.done() % every == 0);
  }

  private <B> void step(Tape tape, Batches<B> batches, BiFunction<Tape, B, Tensor> loss) {
    FloatMatrix share = FloatMatrix.of(new float[] {1f / batchesPerStep}, 1, 1);
    long first = (long) state.done() * batchesPerStep;
    double sum = 0;
    for (long i = first; i < first + batchesPerStep; i++) {
      int perPass = batches.perPass();
      Tensor mean = loss.apply(tape, batches.batch(i / perPass, (int) (i % perPass)));
      sum += mean.value().get(0, 0);
      tape.backward(mean, share);
      tape.reset();
    }
    double norm =
        maxNorm <= Float.MAX_VALUE
            ? GradientClipping.clip(kernels, parameters, maxNorm)
            : Double.NaN;
    float rate = schedule.rate(state.done());
    TrainerState next = state.afterStep();
    optimizer.step(rate);
    state = next; // before anything that can fail: an update is made once
    optimizer.zeroGrad();
    listener.stepped(new TrainingListener.Step(state.done(), sum / batchesPerStep, norm, rate));
  }

  private void evaluate(Tape inference) {
    inference.reset();
    double value = measure.applyAsDouble(inference);
    state = state.afterEvaluation(value);
    boolean best = state.bestDone() == state.done();
    listener.evaluated(new TrainingListener.Evaluation(state.done(), value, best));
  }

  private TrainerCheckpoints.Data data(Batches<?> batches) {
    return new TrainerCheckpoints.Data(batchesPerStep, batches.perPass());
  }
}
