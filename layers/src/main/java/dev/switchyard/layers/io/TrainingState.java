package dev.switchyard.layers.io;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.MomentState;
import dev.switchyard.layers.optim.Optimizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Between a training run and its {@link Checkpoint}: parameters, what the optimizer keeps, and
 * whatever else the caller wants to find again. A run that also gives the number of its next step
 * to {@link dev.switchyard.layers.Tape#resumeAfter} goes on bit for bit.
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
    return new Checkpoint(Weights.of(parameters), state, steps, progress, options);
  }

  /**
   * Gives parameters and optimizer the state that was saved.
   *
   * @param checkpoint what {@link #save} made
   * @param parameters of the same model
   * @param optimizer over them
   * @throws IllegalArgumentException if the checkpoint is of another model or optimizer, with all
   *     that does not fit; nothing is changed then
   */
  public static void restore(
      Checkpoint checkpoint, List<Parameter> parameters, Optimizer optimizer) {
    List<MomentState> moments = new ArrayList<>();
    checkpoint
        .steps()
        .forEach(
            (name, step) ->
                moments.add(
                    new MomentState(
                        name,
                        (int) Math.min(Integer.MAX_VALUE, step),
                        moment(checkpoint, M + name),
                        moment(checkpoint, V + name))));
    List<MomentState> before = optimizer.state();
    optimizer.restore(moments);
    try {
      Weights.load(checkpoint.weights(), parameters);
    } catch (IllegalArgumentException e) {
      optimizer.restore(before);
      throw e;
    }
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
