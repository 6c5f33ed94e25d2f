package dev.switchyard.bench.experiment;

import dev.switchyard.bench.command.Json;
import dev.switchyard.bench.command.OutputFolder;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.train.TrainingRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What there is of an experiment that has not ended, in a folder: the numbers that are known, and
 * its trainings as far as they are.
 */
final class KeptParts {
  private static final String OPTIONS = "options";
  private static final int SAVE_EVERY = 200; // steps, of some ten milliseconds

  private final Path folder;
  private final Map<String, String> options;
  private final long seed;
  private final Consumer<String> warnings;

  /**
   * The parts in a folder, which need not exist yet.
   *
   * @param options what decides how the experiment goes, by their names on the command line
   * @param seed one of these
   * @param warnings is told of damaged checkpoints
   */
  KeptParts(Path folder, Map<String, String> options, long seed, Consumer<String> warnings) {
    this.folder = folder;
    this.options = new TreeMap<>(options);
    this.seed = seed;
    this.warnings = warnings;
  }

  Path folder() {
    return folder;
  }

  /**
   * Begins an experiment.
   *
   * @throws IllegalArgumentException if there are parts of another
   */
  void begin() {
    if (Files.exists(file(OPTIONS))) {
      throw new IllegalArgumentException(
          folder
              + " holds an unfinished experiment (expected --resume to go on with it, another"
              + " --out, or the folder to be deleted)");
    }
    write(OPTIONS, options);
  }

  /**
   * Goes on with an experiment.
   *
   * @throws IllegalArgumentException if there is none, or it was begun with other options
   */
  void resume() {
    if (!Files.exists(file(OPTIONS))) {
      throw new IllegalArgumentException(
          "--resume finds nothing in " + folder + " (expected an experiment that was interrupted)");
    }
    Map<?, ?> then = Json.read(file(OPTIONS), Map.class);
    options.forEach(
        (name, now) -> {
          if (!now.equals(then.get(name))) {
            throw new IllegalArgumentException(
                String.format(
                    Locale.ROOT,
                    "--%s is %s but the experiment in %s was begun with %s (expected the same, or"
                        + " another --out)",
                    name,
                    now,
                    folder,
                    then.get(name)));
          }
        });
  }

  /** A training of the experiment. */
  TrainingRun training(String name) {
    return new TrainingRun(folder, name, options, seed, SAVE_EVERY, Processes.alone(), warnings);
  }

  /** Whether the numbers of a name are known. */
  boolean hasNumbers(String name) {
    return Files.exists(file(name));
  }

  /** The numbers of a name, computed unless they are known. */
  double[] numbers(String name, Supplier<double[]> computation) {
    if (!hasNumbers(name)) {
      double[] numbers = computation.get();
      write(name, numbers);
      return numbers;
    }
    return Json.read(file(name), double[].class);
  }

  /** Deletes what the end of the experiment has made useless. */
  void delete() {
    new OutputFolder(folder).delete();
  }

  private Path file(String name) {
    return folder.resolve(name + ".json");
  }

  private void write(String name, Object value) {
    OutputFolder output = new OutputFolder(folder);
    output.create();
    output.write(name + ".json", Json.of(value));
  }
}
