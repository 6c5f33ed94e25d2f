package dev.switchyard.layers.io;

import dev.switchyard.kernels.data.FloatMatrix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * All that a training run needs to go on bit for bit. Matrices are not copied.
 *
 * <p>In the file, weights have their own names, so that other programs find them; state and steps
 * are tensors named {@code optimizer/state/...} (F32) and {@code optimizer/step/...} (I64, one
 * number), the rest is metadata.
 *
 * @param weights by the parameter's name, see {@link Weights}
 * @param vectors the names of those weights that are [n] in the file; their matrices have one row
 * @param state what the optimizer keeps, by any name
 * @param steps counters of the optimizer, by any name
 * @param algorithm of the optimizer; empty in a checkpoint of before it was kept
 * @param progress how far the run has come
 * @param options free text, such as the options of the model
 */
public record Checkpoint(
    Map<String, FloatMatrix> weights,
    Set<String> vectors,
    Map<String, FloatMatrix> state,
    Map<String, Long> steps,
    String algorithm,
    Progress progress,
    Map<String, String> options) {
  private static final String RESERVED = "optimizer/";
  private static final String STATE = RESERVED + "state/";
  private static final String STEP = RESERVED + "step/";
  private static final String OPTION = "option.";
  private static final String FORMAT = "switchyard.checkpoint";
  private static final String VERSION = "1";
  private static final String ALGORITHM = "optimizer";

  /**
   * Copies the maps, not what they hold, in their order.
   *
   * @throws IllegalArgumentException if a weight has a name that is kept for the optimizer, or a
   *     vector is no weight of one row
   */
  public Checkpoint {
    for (String name : weights.keySet()) {
      if (name.startsWith(RESERVED)) {
        throw new IllegalArgumentException(
            "weight "
                + name
                + " has a name of the optimizer's (expected none under "
                + RESERVED
                + ")");
      }
    }
    for (String name : vectors) {
      if (!weights.containsKey(name) || weights.get(name).rows() != 1) {
        throw new IllegalArgumentException(
            "vector " + name + " is no weight of one row (expected one)");
      }
    }
    weights = copy(weights);
    vectors = Set.copyOf(vectors);
    state = copy(state);
    steps = copy(steps);
    options = copy(options);
    Objects.requireNonNull(algorithm, "algorithm");
    Objects.requireNonNull(progress, "progress");
  }

  private static <V> Map<String, V> copy(Map<String, V> map) {
    return Collections.unmodifiableMap(new LinkedHashMap<>(map));
  }

  /**
   * Writes it in one step, see {@link AtomicFile}.
   *
   * @param file the file, in a folder that exists
   * @throws IllegalArgumentException if a name or an option is no Unicode text
   * @throws IOException if it cannot be written; what stood there before is intact
   */
  public void write(Path file) throws IOException {
    SafetensorsWriter out = new SafetensorsWriter();
    out.weights(weights, vectors);
    state.forEach((name, matrix) -> out.matrix(STATE + name, matrix));
    steps.forEach((name, step) -> out.longs(STEP + name, new long[] {step}));
    options.forEach((key, value) -> out.metadata(OPTION + key, value));
    if (!algorithm.isEmpty()) {
      out.metadata(ALGORITHM, algorithm);
    }
    out.metadata(FORMAT, VERSION)
        .metadata("step", Long.toString(progress.step()))
        .metadata("seed", Long.toString(progress.seed()))
        .metadata("epoch", Long.toString(progress.epoch()))
        .metadata("nextBatch", Long.toString(progress.nextBatch()))
        .write(file);
  }

  /**
   * Reads it.
   *
   * @param file what {@link #write} wrote
   * @return the checkpoint
   * @throws MalformedFileException if the file is damaged, or no checkpoint
   * @throws IOException if it cannot be read
   */
  public static Checkpoint read(Path file) throws IOException {
    try (Safetensors in = Safetensors.open(file)) {
      if (!in.hasChecksum() || !VERSION.equals(in.metadata().get(FORMAT))) {
        throw new MalformedFileException(
            file
                + " is not a checkpoint (expected a checksum and "
                + FORMAT
                + " "
                + VERSION
                + " in its metadata)");
      }
      Map<String, FloatMatrix> weights = new LinkedHashMap<>();
      Set<String> vectors = new HashSet<>(Weights.vectors(in));
      Map<String, FloatMatrix> state = new LinkedHashMap<>();
      Map<String, Long> steps = new LinkedHashMap<>();
      for (TensorInfo tensor : in.tensors()) {
        String name = tensor.name();
        if (name.startsWith(STEP)) {
          steps.put(name.substring(STEP.length()), one(file, tensor, in.longs(name)));
        } else if (name.startsWith(STATE)) {
          state.put(name.substring(STATE.length()), in.matrix(name));
        } else if (name.startsWith(RESERVED)) {
          throw new MalformedFileException(
              file + " has " + tensor + " (expected only " + STATE + " and " + STEP + " there)");
        } else {
          weights.put(name, in.matrix(name));
        }
      }
      Map<String, String> options = new LinkedHashMap<>();
      in.metadata()
          .forEach(
              (key, value) -> {
                if (key.startsWith(OPTION)) {
                  options.put(key.substring(OPTION.length()), value);
                }
              });
      vectors.retainAll(weights.keySet());
      return new Checkpoint(
          weights,
          vectors,
          state,
          steps,
          in.metadata().getOrDefault(ALGORITHM, ""),
          progress(file, in.metadata()),
          options);
    }
  }

  private static long one(Path file, TensorInfo tensor, long[] values)
      throws MalformedFileException {
    if (values.length != 1) {
      throw new MalformedFileException(file + " has " + tensor + " (expected one number)");
    }
    return values[0];
  }

  private static Progress progress(Path file, Map<String, String> metadata)
      throws MalformedFileException {
    try {
      return new Progress(
          Long.parseLong(metadata.get("step")),
          Long.parseLong(metadata.get("seed")),
          Long.parseLong(metadata.get("epoch")),
          Long.parseLong(metadata.get("nextBatch")));
    } catch (IllegalArgumentException e) { // NumberFormatException, for null too, is one
      throw new MalformedFileException(
          file
              + " does not say how far the run has come: "
              + e.getMessage()
              + " (expected numbers for step, seed, epoch and nextBatch)");
    }
  }
}
