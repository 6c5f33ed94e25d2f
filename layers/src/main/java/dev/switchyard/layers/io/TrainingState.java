package dev.switchyard.layers.io;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.optim.MomentState;
import dev.switchyard.layers.optim.Optimizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Between a training run and its {@link Checkpoint}: parameters, what the optimizer keeps, and
 * whatever else the caller wants to find again. A run whose tape is given to {@link
 * #restore(Checkpoint, List, Optimizer, Tape)} goes on bit for bit.
 */
public final class TrainingState {
  private static final String M = "m/";
  private static final String V = "v/";
  private static final String EXTRA = "extra/";

  private TrainingState() {}

  /**
   * The state of a run between two steps. Values of parameters and extras are not copied: write the
   * checkpoint before the next step.
   *
   * @param parameters of the model, frozen ones too
   * @param optimizer over the same parameters
   * @param progress how far the run is
   * @param extra any further matrices by name
   * @param options free text
   * @return the checkpoint
   * @throws IllegalArgumentException if two parameters have one name
   */
  public static Checkpoint save(
      List<Parameter> parameters,
      Optimizer optimizer,
      Progress progress,
      Map<String, FloatMatrix> extra,
      Map<String, String> options) {
    Map<String, FloatMatrix> state = new LinkedHashMap<>();
    Map<String, Long> steps = new LinkedHashMap<>();
    for (MomentState moments : optimizer.state()) {
      state.put(M + moments.name(), FloatMatrix.of(moments.m(), 1, moments.m().length));
      state.put(V + moments.name(), FloatMatrix.of(moments.v(), 1, moments.v().length));
      steps.put(moments.name(), (long) moments.step());
    }
    extra.forEach((name, matrix) -> state.put(EXTRA + name, matrix));
    return new Checkpoint(
        Weights.of(parameters),
        Weights.vectors(parameters),
        state,
        steps,
        optimizer.algorithm(),
        progress,
        options);
  }

  /**
   * Goes on from a checkpoint: gives parameters and optimizer the state that was saved, and the
   * tape the number of its next step, on which random masks depend. Afterwards the run is the one
   * that was never interrupted, bit for bit, if its data go on at {@link Progress#nextBatch()}.
   *
   * @param checkpoint what {@link #save} made
   * @param parameters of the same model
   * @param optimizer over them
   * @param tape a new tape, which makes a step for each update; for one that makes several, tell
   *     {@link Tape#resumeAfter} how many it has made, behind the other {@code restore}
   * @throws IllegalArgumentException if the checkpoint is of another model or optimizer, or the
   *     tape has made more steps, with all that does not fit; nothing is changed then
   * @throws IllegalStateException if a step of the tape has begun; nothing is changed then
   */
  public static void restore(
      Checkpoint checkpoint, List<Parameter> parameters, Optimizer optimizer, Tape tape) {
    long steps = checkpoint.progress().step();
    tape.requireResumable(steps);
    restore(checkpoint, parameters, optimizer, () -> tape.resumeAfter(steps));
  }

  /**
   * Gives parameters and optimizer the state that was saved, and tells no tape: where nothing is
   * random. After an error in the middle, parameters or optimizer refuse to go on until they are
   * restored.
   *
   * @param checkpoint what {@link #save} made
   * @param parameters of the same model
   * @param optimizer over them
   * @throws IllegalArgumentException if the checkpoint is of another model or optimizer, with all
   *     that does not fit; nothing is changed then
   */
  public static void restore(
      Checkpoint checkpoint, List<Parameter> parameters, Optimizer optimizer) {
    restore(checkpoint, parameters, optimizer, () -> {});
  }

  private static void restore(
      Checkpoint checkpoint, List<Parameter> parameters, Optimizer optimizer, Runnable tape) {
    if (!checkpoint.algorithm().isEmpty()
        && !checkpoint.algorithm().equals(optimizer.algorithm())) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the checkpoint is of %s, and the optimizer is %s (expected the same, since each has"
                  + " moments of its own kind)",
              checkpoint.algorithm(),
              optimizer.algorithm()));
    }
    List<MomentState> moments = moments(checkpoint);
    Weights.load(
        checkpoint.weights(),
        parameters,
        () -> {
          optimizer.restore(moments);
          tape.run();
        });
  }

  private static List<MomentState> moments(Checkpoint checkpoint) {
    for (String name : checkpoint.state().keySet()) {
      boolean moment = name.startsWith(M) || name.startsWith(V);
      if (moment && !checkpoint.steps().containsKey(name.substring(M.length()))) {
        throw new IllegalArgumentException(
            "the checkpoint has moment " + name + " but no step of it (expected both)");
      }
    }
    List<MomentState> moments = new ArrayList<>();
    checkpoint
        .steps()
        .forEach(
            (name, step) -> {
              if (step < 1 || step > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                    String.format(
                        Locale.ROOT,
                        "the checkpoint has step %d of %s (expected 1 to %d)",
                        step,
                        name,
                        Integer.MAX_VALUE));
              }
              moments.add(
                  new MomentState(
                      name,
                      Math.toIntExact(step),
                      moment(checkpoint, M + name),
                      moment(checkpoint, V + name)));
            });
    return moments;
  }

  private static float[] moment(Checkpoint checkpoint, String name) {
    FloatMatrix matrix = checkpoint.state().get(name);
    if (matrix == null) {
      throw new IllegalArgumentException(
          "the checkpoint has a step but no moment " + name + " (expected both)");
    }
    return matrix.data();
  }

  /**
   * What else was saved.
   *
   * @param checkpoint what {@link #save} made
   * @return the further matrices by name
   */
  public static Map<String, FloatMatrix> extra(Checkpoint checkpoint) {
    Map<String, FloatMatrix> extra = new LinkedHashMap<>();
    checkpoint
        .state()
        .forEach(
            (name, matrix) -> {
              if (name.startsWith(EXTRA)) {
                extra.put(name.substring(EXTRA.length()), matrix);
              }
            });
    return extra;
  }
}
