package dev.switchyard.bench.train;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.optim.Optimizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A training by Switchyard, which is kept on disk. */
final class OwnTraining implements Training {
  private final TrainingRun run;
  private final Precision precision;
  private final Kernels kernels;
  private final TrainingTask.Learner model;
  private final Optimizer optimizer;
  private final Profile profile = new Profile();
  private final Tape tape;
  private final List<Double> losses;

  /** A training from where the run's checkpoints end. */
  OwnTraining(
      TrainingRun run,
      Precision precision,
      TrainingTask task,
      OptimizerName optimizer,
      Kernels kernels) {
    this.run = run;
    this.precision = precision;
    this.kernels = kernels;
    this.model = task.model(precision);
    this.optimizer = optimizer.create(kernels, model.parameters());
    this.losses = run.restore(model.parameters(), this.optimizer);
    this.tape = Tape.recording(kernels, profile);
    tape.startAt(losses.size() + 1);
  }

  @Override
  public String name() {
    return precision.name();
  }

  @Override
  public List<Double> losses() {
    return losses;
  }

  @Override
  public double step(int epoch, int[] order, int from, float rate) {
    Tensor loss = model.loss(tape, epoch, order, from);
    double value = loss.value().get(0, 0);
    tape.backward(loss);
    profile.measure(
        Part.OPTIMIZER,
        () -> {
          optimizer.step(rate);
          optimizer.zeroGrad();
        });
    tape.reset();
    return value;
  }

  @Override
  public void startTiming() {
    profile.clear();
  }

  @Override
  public Map<String, Double> partsMillis(long nanos, int steps) {
    Map<String, Double> parts = new LinkedHashMap<>();
    double scale = 1 / (Trainer.NANOS_A_MILLI * steps);
    parts.put("quantize", profile.nanos(Part.QUANTIZE) * scale);
    parts.put("multiply", profile.nanos(Part.MULTIPLY) * scale);
    parts.put("weightGradient", profile.nanos(Part.WEIGHT_GRADIENT) * scale);
    parts.put("attention", profile.nanos(Part.ATTENTION) * scale);
    parts.put("optimizer", profile.nanos(Part.OPTIMIZER) * scale);
    parts.put("rest", profile.restNanos(nanos) * scale);
    return parts;
  }

  @Override
  public boolean isSaveDue(int step, int stepsAnEpoch) {
    return run.isDue(step, stepsAnEpoch);
  }

  @Override
  public void save(int stepsAnEpoch) {
    run.save(model.parameters(), optimizer, losses, stepsAnEpoch);
  }

  @Override
  public void finish(TrainingResult result) {
    run.finish(model.parameters(), optimizer, result);
  }

  @Override
  public double accuracy() {
    return model.accuracy(kernels);
  }
}
