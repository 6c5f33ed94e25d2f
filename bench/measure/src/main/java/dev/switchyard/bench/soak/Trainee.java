package dev.switchyard.bench.soak;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.Progress;
import dev.switchyard.layers.io.TrainingState;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.StableAdamW;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The model of a case, in training. */
final class Trainee {
  /** Among the results: the rows that routers chose, in a row of their own. */
  static final String CHOSEN = "chosen rows";

  private static final float RATE = 1e-2f;

  private final SoakModel model;
  private final List<Parameter> parameters;
  private final Tape tape;
  private final Optimizer optimizer;
  private int steps;

  Trainee(SoakCase drawn, Kernels kernels) {
    model = drawn.model();
    parameters = model.parameters();
    tape = Tape.recording(kernels);
    optimizer =
        drawn.stable()
            ? new StableAdamW(kernels, parameters, StableAdamW.Settings.DEFAULT)
            : new AdamW(kernels, parameters, AdamW.Settings.DEFAULT);
  }

  /** Has someone told what the linear layers compute with. */
  void watch(Tape.Watcher watcher) {
    tape.watch(watcher);
  }

  /** A step of training: loss, output and gradients, all copied. */
  Map<String, FloatMatrix> step() {
    Map<String, FloatMatrix> results = forwardAndBackward();
    update();
    return results;
  }

  /** The part of a step that changes no weight. */
  Map<String, FloatMatrix> forwardAndBackward() {
    model.forgetChosen();
    Tensor output = model.output().apply(tape);
    Tensor loss = model.loss().apply(tape, output);
    Map<String, FloatMatrix> results = new LinkedHashMap<>();
    results.put("loss", loss.value().copy());
    results.put("output", output.value().copy());
    results.put(CHOSEN, model.chosenRows());
    tape.backward(loss);
    for (Parameter parameter : parameters) {
      if (!parameter.frozen()) {
        results.put("gradient of " + parameter.name(), parameter.grad().copy());
      }
    }
    return results;
  }

  /** The rest of a step. */
  void update() {
    optimizer.step(RATE);
    steps++;
    begin();
  }

  /** Begins a step; or begins it anew, after one that failed before its update. */
  void begin() {
    optimizer.zeroGrad();
    tape.reset();
  }

  /** The state between two steps, not copied in all parts: write it, or use it, before the next. */
  Checkpoint checkpoint() {
    return TrainingState.save(
        parameters, optimizer, new Progress(steps, 0, 0, 0), Map.of(), Map.of());
  }

  /** Goes on from there. */
  void restore(Checkpoint checkpoint) {
    TrainingState.restore(checkpoint, parameters, optimizer);
    optimizer.zeroGrad();
    steps = (int) checkpoint.progress().step();
  }

  /** Goes on from there as a run that was ended and is resumed: masks depend on the step. */
  void resume(Checkpoint checkpoint) {
    restore(checkpoint);
    tape.resumeAfter(steps);
  }

  /** Weights and moments, all copied. */
  Map<String, FloatMatrix> state() {
    Checkpoint checkpoint = checkpoint();
    Map<String, FloatMatrix> state = new LinkedHashMap<>();
    checkpoint.weights().forEach((name, weight) -> state.put("weight " + name, weight.copy()));
    checkpoint.state().forEach((name, moment) -> state.put("moment " + name, moment));
    return state;
  }

  int steps() {
    return steps;
  }

  List<Parameter> parameters() {
    return parameters;
  }

  List<Linear> linears() {
    return model.linears();
  }
}
