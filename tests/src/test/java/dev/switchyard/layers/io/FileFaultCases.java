package dev.switchyard.layers.io;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.faults.Outcomes;
import dev.switchyard.faults.RepeatedCall;
import dev.switchyard.faults.WholeChange;
import dev.switchyard.faults.WrittenFile;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.MomentState;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/** Files and checkpoints: what is written is the old or the new, and what is restored is whole. */
public final class FileFaultCases implements FaultCases {
  private static final FloatMatrix MATRIX = Fixtures.gaussian(2, 3, 1);

  private final Kernels kernels;
  private final Path folder;
  private final Checkpoint checkpoint;
  private final Map<String, FaultCase> cases = new LinkedHashMap<>();

  public FileFaultCases(Kernels kernels) {
    this.kernels = kernels;
    this.folder = Outcomes.of(() -> Files.createTempDirectory("files"));
    this.checkpoint = new Training(2).save();
  }

  @Override
  public Map<String, FaultCase> cases() {
    addWrites();
    addBuilding();
    addReading();
    cases.put("restoring a run", new WholeChange(Resuming::new));
    cases.put("restoring a checkpoint", new WholeChange(Restoring::new));
    cases.put("saving in a folder", new WholeChange(Saving::new));
    cases.put("clearing a folder", new WholeChange(Clearing::new));
    return cases;
  }

  /** Two parameters that have made some steps. */
  private final class Training {
    final List<Parameter> parameters =
        List.of(
            new Parameter("a", Fixtures.gaussian(2, 3, 1), true), Parameter.vector("b", 1, 2, 3));
    final AdamW optimizer = new AdamW(kernels, parameters, AdamW.Settings.DEFAULT);
    private final int steps;

    Training(int steps) {
      this.steps = steps;
      for (int step = 0; step < steps; step++) {
        parameters.forEach(p -> p.grad().set(0, 1, 2));
        optimizer.step(0.1f);
      }
    }

    Checkpoint save() {
      return TrainingState.save(
          parameters, optimizer, new Progress(steps, 1, 0, 0), Map.of("x", MATRIX), Map.of());
    }
  }

  private static Object content(Checkpoint read) {
    List<Object> all =
        new ArrayList<>(List.of(read.progress().toString(), read.steps().toString()));
    read.weights().values().forEach(matrix -> all.add(matrix.toArray()));
    read.state().values().forEach(matrix -> all.add(matrix.toArray()));
    return all.toArray();
  }

  private void addWrites() {
    Training training = new Training(1);
    Map<String, WrittenFile.Write> writes =
        Map.of(
            "a checkpoint", checkpoint::write,
            "weights", file -> Weights.write(training.parameters, file),
            "a file", file -> AtomicFile.write(file, out -> out.write(new byte[] {1, 2, 3})));
    writes.forEach(
        (name, write) ->
            cases.put(
                "writing " + name,
                new WholeChange(() -> new WrittenFile(folder.resolve("written"), write))));
  }

  /** A writer that is given something, and what it would write. */
  private final class Building implements WholeChange.Subject {
    private final SafetensorsWriter writer = new SafetensorsWriter().metadata("first", "1");
    private final Consumer<SafetensorsWriter> addition;

    Building(Consumer<SafetensorsWriter> addition) {
      this.addition = addition;
    }

    @Override
    public void change() {
      addition.accept(writer);
    }

    @Override
    public Object state() throws IOException {
      Path file = folder.resolve("built");
      writer.write(file);
      return Files.readAllBytes(file);
    }
  }

  private void addBuilding() {
    Map<String, Consumer<SafetensorsWriter>> additions = new LinkedHashMap<>();
    additions.put("a matrix", w -> w.matrix("a", MATRIX));
    additions.put("weights", w -> w.weights(checkpoint.weights(), Set.of("b")));
    additions.put("floats", w -> w.floats("a", MATRIX.toArray(), 6));
    additions.put("bfloat16s", w -> w.bfloat16s("a", new short[] {1, 2}, 2));
    additions.put("doubles", w -> w.doubles("a", new double[] {1, 2}, 2));
    additions.put("longs", w -> w.longs("a", new long[] {1, 2}, 2));
    additions.put("ints", w -> w.ints("a", new int[] {1, 2}, 2));
    additions.put("bytes", w -> w.bytes("a", new byte[] {1, 2}, 2));
    additions.put("metadata", w -> w.metadata("a", "b"));
    additions.forEach(
        (name, addition) ->
            cases.put("adding " + name, new WholeChange(() -> new Building(addition))));
  }

  private void add(String name, Callable<?> call) {
    cases.put(name, new RepeatedCall(call));
  }

  private void addReading() {
    Training training = new Training(1);
    add(
        "what is written",
        () ->
            new Object[] {
              Weights.of(training.parameters).keySet().toString(), content(training.save())
            });
    add("vectors", () -> Weights.vectors(training.parameters).toString());
    add("a fingerprint", () -> Fingerprint.of(training.parameters));
    add(
        "a foreign file",
        () -> ForeignFile.of("version https://git-lfs".getBytes(StandardCharsets.UTF_8)));
    Path saved = folder.resolve("saved");
    Path all = folder.resolve("all");
    Outcomes.of(
        () -> {
          checkpoint.write(saved);
          new SafetensorsWriter()
              .floats("f", MATRIX.toArray(), 6)
              .doubles("d", new double[] {1, 2}, 2)
              .longs("l", new long[] {1, 2}, 2)
              .ints("i", new int[] {1, 2}, 2)
              .bytes("b", new byte[] {1, 2}, 2)
              .write(all);
          return null;
        });
    add("reading a checkpoint", () -> content(Checkpoint.read(saved)));
    Saving run = Outcomes.of(Saving::new);
    add("reading the newest checkpoint", run::state);
    add(
        "what else was saved",
        () ->
            TrainingState.extra(checkpoint).values().stream().map(FloatMatrix::toArray).toArray());
    add(
        "weights through streams",
        () -> {
          ByteArrayOutputStream out = new ByteArrayOutputStream();
          Weights.write(training.parameters, out);
          return Weights.read(new ByteArrayInputStream(out.toByteArray())).keySet().toString();
        });
    add("reading weights", () -> Weights.read(saved).keySet().toString());
    add(
        "reading tensors",
        () -> {
          try (Safetensors in = Safetensors.open(all)) {
            return new Object[] {
              in.floats("f"),
              in.matrix("f").toArray(),
              in.doubles("d"),
              in.longs("l"),
              in.ints("i"),
              in.bytes("b"),
              in.tensors().toString() + in.metadata() + in.hasChecksum(),
              Weights.vectors(in).size()
            };
          }
        });
  }

  /** Weights and moments of one checkpoint, or a refusal of either. */
  private class Restoring implements WholeChange.Subject {
    final Training training = new Training(1);

    @Override
    public void change() {
      TrainingState.restore(checkpoint, training.parameters, training.optimizer);
    }

    @Override
    public Object state() {
      return new Object[] {
        training.parameters.stream().map(p -> p.value().toArray()).toArray(),
        training.optimizer.state().stream().map(MomentState::step).toArray(),
        training.optimizer.state().stream().map(MomentState::m).toArray()
      };
    }
  }

  /** And the number of a tape's next step. */
  private final class Resuming extends Restoring {
    private final Tape tape = Tape.recording(kernels);

    @Override
    public void change() {
      TrainingState.restore(checkpoint, training.parameters, training.optimizer, tape);
    }

    @Override
    public Object state() {
      return new Object[] {super.state(), hasMadeSteps()};
    }

    private boolean hasMadeSteps() {
      try {
        tape.requireResumable(0);
        return false;
      } catch (IllegalArgumentException e) {
        return true;
      }
    }
  }

  private class Saving implements WholeChange.Subject {
    final CheckpointFolder checkpoints;

    Saving() throws IOException {
      checkpoints =
          new CheckpointFolder(Files.createTempDirectory(folder, "run"), 1, warning -> {});
      checkpoints.save(new Training(1).save());
    }

    @Override
    public void change() throws IOException {
      checkpoints.save(checkpoint);
    }

    @Override
    public Object state() throws IOException {
      Optional<Checkpoint> newest = checkpoints.newest();
      return newest.map(FileFaultCases::content).orElse(null);
    }
  }

  private final class Clearing extends Saving {
    Clearing() throws IOException {}

    @Override
    public void change() throws IOException {
      checkpoints.clear();
    }
  }
}
