package dev.switchyard.bench.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.switchyard.bench.data.Reason;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.CheckpointFolder;
import dev.switchyard.layers.io.Progress;
import dev.switchyard.layers.io.TrainingState;
import dev.switchyard.layers.optim.Optimizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One training as it is kept on disk: its checkpoints, with the options that decide how it goes,
 * its losses so far and, if that is asked for, its result once it has ended.
 */
public final class TrainingRun {
  private static final int KEPT = 2; // should the newest be damaged
  private static final String LOSSES = "losses";
  private static final String RESULT = "result";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path path;
  private final CheckpointFolder folder;
  private final Map<String, String> identity;
  private final long seed;
  private final int saveEvery;
  private final Processes processes;
  private Optional<Checkpoint> newest;

  /**
   * A run below a folder.
   *
   * @param folder holds a folder for each run
   * @param name of the run, and of its folder
   * @param identity what must be the same for a run to go on, by the names of options
   * @param saveEvery steps between checkpoints; 0 for one an epoch
   * @param processes that train; the first reads and writes
   * @param warnings is told of damaged checkpoints
   * @throws UncheckedIOException if the checkpoints cannot be read
   */
  public TrainingRun(
      Path folder,
      String name,
      Map<String, String> identity,
      long seed,
      int saveEvery,
      Processes processes,
      Consumer<String> warnings) {
    this.path = folder.resolve(name);
    this.folder = new CheckpointFolder(path, KEPT, warnings);
    this.identity = identity;
    this.seed = seed;
    this.saveEvery = saveEvery;
    this.processes = processes;
    try {
      this.newest = SharedCheckpoint.newest(this.folder, processes.collective());
    } catch (IOException e) {
      throw new UncheckedIOException(
          String.format(
              Locale.ROOT, "the checkpoints in %s cannot be read: %s", path, Reason.of(e)),
          e);
    }
  }

  /** How many steps are done: 0 if the run has not begun. */
  public long steps() {
    return newest.map(checkpoint -> checkpoint.progress().step()).orElse(0L);
  }

  /** What came of the run, if it has ended. */
  public Optional<TrainingResult> result() {
    return newest
        .filter(checkpoint -> checkpoint.options().containsKey(RESULT))
        .flatMap(checkpoint -> parse(checkpoint.options().get(RESULT)));
  }

  /** Nothing where it was written by a version that kept less: it can be made again. */
  private Optional<TrainingResult> parse(String json) {
    try {
      JsonNode result = JSON.readTree(json);
      return result.has("mistakes")
          ? Optional.of(JSON.treeToValue(result, TrainingResult.class))
          : Optional.empty();
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(
          String.format(Locale.ROOT, "the result in %s cannot be read: %s", path, e), e);
    }
  }

  /**
   * Gets the runs of a command ready: to go on, or to begin, for which those that have ended are
   * deleted.
   *
   * @param runs at least one, all below one folder
   * @throws IllegalArgumentException if there is none to go on with, or one was begun with other
   *     options; if it is not asked to go on but one has not ended. Nothing is deleted then
   */
  public static void prepare(Collection<TrainingRun> runs, boolean resume) {
    List<TrainingRun> begun = runs.stream().filter(run -> run.steps() > 0).toList();
    if (!resume) {
      begun.forEach(TrainingRun::requireResult);
      begun.forEach(TrainingRun::clear);
    } else if (begun.isEmpty()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "--resume finds no checkpoint of %s in %s (expected a training to go on with)",
              runs.stream().map(run -> run.path.getFileName()).toList(),
              runs.iterator().next().path.getParent()));
    } else {
      begun.forEach(TrainingRun::requireSameOptions);
    }
  }

  private void requireResult() {
    if (newest.filter(checkpoint -> checkpoint.options().containsKey(RESULT)).isEmpty()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s holds a training in %s that ended at step %d (expected --resume to go on with"
                  + " it, another --out, or the folder to be deleted)",
              path.getParent(),
              path.getFileName(),
              steps()));
    }
  }

  private void requireSameOptions() {
    newest.ifPresent(
        checkpoint ->
            identity.forEach(
                (name, now) -> {
                  String then = checkpoint.options().get(name);
                  if (!now.equals(then)) {
                    throw new IllegalArgumentException(
                        String.format(
                            Locale.ROOT,
                            "--%s is %s but the run in %s was begun with %s (expected the same, or"
                                + " another --out)",
                            name,
                            now,
                            path,
                            then));
                  }
                }));
  }

  /** Deletes the checkpoints of an earlier run, and begins anew. */
  private void clear() {
    newest = Optional.empty();
    if (processes.isFirst()) {
      write(folder::clear);
    }
  }

  /**
   * Gives a model and its optimizer the state of the newest checkpoint, if there is one.
   *
   * @param restoreExtra takes what else was saved
   * @return the losses up to it
   */
  public List<Double> restore(
      List<Parameter> parameters,
      Optimizer optimizer,
      Consumer<Map<String, FloatMatrix>> restoreExtra) {
    List<Double> losses = new ArrayList<>();
    newest.ifPresent(
        checkpoint -> {
          TrainingState.restore(checkpoint, parameters, optimizer);
          Map<String, FloatMatrix> extra = TrainingState.extra(checkpoint);
          FloatMatrix saved = extra.remove(LOSSES);
          restoreExtra.accept(extra);
          for (int i = 0; i < saved.cols(); i++) {
            losses.add((double) saved.get(0, i));
          }
        });
    return losses;
  }

  /** Whether a checkpoint should be written after that many steps. */
  public boolean isDue(int step, int stepsAnEpoch) {
    return step % (saveEvery == 0 ? stepsAnEpoch : saveEvery) == 0;
  }

  /**
   * Writes a checkpoint.
   *
   * @param extra what else to save; has no name {@code losses}
   * @param losses one for each step, of which float32 is kept
   */
  public void save(
      List<Parameter> parameters,
      Optimizer optimizer,
      Map<String, FloatMatrix> extra,
      List<Double> losses,
      int stepsAnEpoch) {
    int step = losses.size();
    Progress progress = new Progress(step, seed, step / stepsAnEpoch, step % stepsAnEpoch);
    save(parameters, optimizer, extra, losses, progress, identity);
  }

  /** Writes the last checkpoint, with the result. */
  void finish(
      List<Parameter> parameters,
      Optimizer optimizer,
      Map<String, FloatMatrix> extra,
      TrainingResult result) {
    Map<String, String> options = new LinkedHashMap<>(identity);
    try {
      options.put(RESULT, JSON.writeValueAsString(result));
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
    Progress progress = new Progress(result.losses().size(), seed, 0, 0);
    save(parameters, optimizer, extra, result.losses(), progress, options);
  }

  private void save(
      List<Parameter> parameters,
      Optimizer optimizer,
      Map<String, FloatMatrix> extra,
      List<Double> losses,
      Progress progress,
      Map<String, String> options) {
    FloatMatrix row = FloatMatrix.allocate(1, losses.size());
    for (int i = 0; i < losses.size(); i++) {
      row.set(0, i, losses.get(i).floatValue());
    }
    Map<String, FloatMatrix> all = new LinkedHashMap<>(extra);
    all.put(LOSSES, row);
    // By all processes, since each may have a part of the optimizer's state.
    Checkpoint checkpoint = TrainingState.save(parameters, optimizer, progress, all, options);
    if (processes.isFirst()) {
      write(() -> folder.save(checkpoint));
    }
  }

  private interface Writing {
    void run() throws IOException;
  }

  private void write(Writing writing) {
    try {
      writing.run();
    } catch (IOException e) {
      throw new UncheckedIOException(
          String.format(
              Locale.ROOT, "the checkpoints in %s cannot be written: %s", path, Reason.of(e)),
          e);
    }
  }
}
