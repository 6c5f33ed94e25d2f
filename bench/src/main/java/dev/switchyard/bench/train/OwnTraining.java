package dev.switchyard.bench.train;

import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.processes.SharedSteps;
import dev.switchyard.bench.processes.Sharing;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.io.Fingerprint;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A training by Switchyard, which is kept on disk. */
final class OwnTraining implements Training {
  private static final double NANOS_A_MILLI = 1e6;

  private final TrainingRun run;
  private final Precision precision;
  private final Kernels kernels;
  private final TrainingTask.Learner model;
  private final TrainOptions options;
  private final SharedSteps shared;
  private final Profile profile = new Profile();
  private final Tape tape;
  private final List<Double> losses;
  private long waitedBefore;
  private boolean isDue;

  /**
   * A training from where the run's checkpoints end, which takes turns with others of a storage.
   */
  OwnTraining(
      TrainingRun run,
      Precision precision,
      TrainingTask task,
      TrainOptions options,
      Processes processes,
      Tape storage) {
    this.run = run;
    this.precision = precision;
    this.kernels = storage.kernels();
    this.options = options;
    this.model = task.model(precision);
    this.tape = Tape.sharing(storage, profile);
    this.shared =
        new SharedSteps(
            processes,
            options.sharing(),
            kernels,
            tape,
            profile,
            model.parameters(),
            parameters -> options.optimizer().create(kernels, parameters),
            options.seed());
    this.losses = run.restore(model.parameters(), shared.optimizer(), shared::restoreExtra);
    processes.requireSame(Map.of("model", Fingerprint.of(model.parameters())));
    shared.resumeAfter(losses.size());
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
    return shared.step(shard -> part(epoch, order, from, shard), rate);
  }

  private SharedSteps.Part part(int epoch, int[] order, int from, int shard) {
    Sharing sharing = options.sharing();
    int first = sharing.first(shard, options.batch());
    int count = sharing.first(shard + 1, options.batch()) - first;
    return new SharedSteps.Part(
        model.loss(tape, epoch, order, from + first, count),
        model.seesWholeBatch() ? 1 : sharing.weight(shard, options.batch()));
  }

  @Override
  public void startTiming() {
    profile.clear();
    waitedBefore = shared.waitNanos();
  }

  @Override
  public Map<String, Double> partsMillis(long nanos, int steps) {
    Map<String, Double> parts = new LinkedHashMap<>();
    double scale = 1 / (NANOS_A_MILLI * steps);
    parts.put("quantize", profile.nanos(Part.QUANTIZE) * scale);
    parts.put("multiply", profile.nanos(Part.MULTIPLY) * scale);
    parts.put("weightGradient", profile.nanos(Part.WEIGHT_GRADIENT) * scale);
    parts.put("attention", profile.nanos(Part.ATTENTION) * scale);
    parts.put("optimizer", profile.nanos(Part.OPTIMIZER) * scale);
    long waited = shared.waitNanos() - waitedBefore;
    if (waited > 0) {
      parts.put("exchange", waited * scale);
    }
    parts.put("rest", profile.restNanos(nanos - waited) * scale);
    return parts;
  }

  @Override
  public boolean isSaveDue(int step, int stepsAnEpoch) {
    isDue |= run.isDue(step, stepsAnEpoch);
    return isDue && canSave();
  }

  @Override
  public boolean canSave() {
    return shared.isAgreed();
  }

  @Override
  public void save(int stepsAnEpoch) {
    isDue = false;
    run.save(model.parameters(), shared.optimizer(), shared.extra(), losses, stepsAnEpoch);
  }

  @Override
  public void finish(TrainingResult result) {
    run.finish(model.parameters(), shared.optimizer(), shared.extra(), result);
  }

  @Override
  public Map<String, Object> exchangeCosts() {
    return shared.costs();
  }

  @Override
  public List<Integer> mistakes() {
    return model.mistakes(kernels);
  }

  @Override
  public void close() {
    shared.close();
  }
}
