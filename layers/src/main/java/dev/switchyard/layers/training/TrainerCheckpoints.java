package dev.switchyard.layers.training;

import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.CheckpointFolder;
import dev.switchyard.layers.io.Progress;
import dev.switchyard.layers.io.TrainingState;
import dev.switchyard.layers.optim.Optimizer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The checkpoints of a {@link Trainer}. */
record TrainerCheckpoints(CheckpointFolder folder, long seed) {
  /** Of which a step takes some. */
  record Data(int batchesPerStep, int batchesPerPass) {}

  /** Goes on from the newest, if there is one of this run; one of another is refused. */
  Optional<TrainerState> newest(List<Parameter> parameters, Optimizer optimizer, Data data)
      throws IOException {
    Optional<Checkpoint> newest = folder.newest();
    if (newest.isEmpty()) {
      return Optional.empty();
    }
    Progress progress = newest.get().progress();
    int done = (int) Math.min(progress.step(), Integer.MAX_VALUE);
    Progress expected = progress(done, data);
    if (!progress.equals(expected)) {
      throw new IllegalArgumentException(
          "the newest checkpoint is of another run: "
              + progress
              + " (expected "
              + expected
              + " with this seed, these batches and this accumulation)");
    }
    Optional<TrainerState> state = Optional.of(TrainerState.of(done, newest.get().options()));
    TrainingState.restore(newest.get(), parameters, optimizer);
    return state;
  }

  void save(TrainerState state, List<Parameter> parameters, Optimizer optimizer, Data data)
      throws IOException {
    Progress progress = progress(state.done(), data);
    folder.save(TrainingState.save(parameters, optimizer, progress, Map.of(), state.toOptions()));
  }

  private Progress progress(int done, Data data) {
    long batches = (long) done * data.batchesPerStep;
    return new Progress(done, seed, batches / data.batchesPerPass, batches % data.batchesPerPass);
  }
}
