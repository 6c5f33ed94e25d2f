package dev.switchyard.layers.training;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.faults.Outcomes;
import dev.switchyard.faults.RepeatedCall;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.activation.Gelu;
import dev.switchyard.layers.block.Sequential;
import dev.switchyard.layers.io.CheckpointFolder;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.Schedule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** A training that an error has ended goes on as if it had not been, or refuses to. */
public final class TrainerFaultCases implements FaultCases {
  private final Kernels kernels;
  private final Path folder = Outcomes.of(() -> Files.createTempDirectory("training"));

  public TrainerFaultCases(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public Map<String, FaultCase> cases() {
    Map<String, FaultCase> cases = new LinkedHashMap<>();
    cases.put("a trainer", new Interrupted(false));
    cases.put("a trainer with checkpoints", new Interrupted(true));
    cases.put(
        "a trainer that is stopped",
        new RepeatedCall(
            () -> {
              Training training = new Training(true);
              training.trainer.accumulate(1).clip(2).stopAfter(1).evaluate(3, tape -> 0);
              training.trainer.listen(new TrainingListener() {}).stop();
              return training.run();
            }));
    cases.put(
        "batches",
        new RepeatedCall(
            () -> {
              Batches<int[]> batches = Batches.shuffled(5, 2, Fixtures.RANDOM, rows -> rows);
              return new Object[] {batches.perPass(), batches.batch(1, 1), batches.batch(2, 0)};
            }));
    return cases;
  }

  private final class Training {
    private final FloatMatrix data = Fixtures.gaussian(4, 3, 1);
    private final Sequential model =
        new Sequential(
            new Linear("a", 3, 3, Precision.FLOAT32, Fixtures.RANDOM.split(0)),
            new Gelu(),
            new Linear("b", 3, 3, Precision.FLOAT32, Fixtures.RANDOM.split(1)));
    private final Batches<FloatMatrix> batches =
        Batches.shuffled(4, 2, Fixtures.RANDOM, rows -> data.rowRange(rows[0], rows[0] + 1));
    private final Trainer trainer =
        new Trainer(
                kernels,
                model.parameters(),
                new AdamW(kernels, model.parameters(), AdamW.Settings.DEFAULT),
                Schedule.constant(0.1f),
                2)
            .accumulate(2)
            .clip(1)
            .evaluate(1, tape -> model.forward(tape, Tensor.of(data)).value().get(0, 0));

    Training(boolean saves) throws Exception {
      if (saves) {
        Path run = Files.createTempDirectory(folder, "run");
        trainer.checkpoint(new CheckpointFolder(run, 1, warning -> {}), 1, 7);
      }
    }

    /** What it has come to, and the weights. */
    Object run() throws Exception {
      TrainingResult result =
          trainer.run(
              batches,
              (tape, x) ->
                  new MeanSquaredError().forward(tape, model.forward(tape, Tensor.of(x)), x));
      Object[] weights = model.parameters().stream().map(p -> p.value().toArray()).toArray();
      return new Object[] {result.toString(), weights};
    }
  }

  private final class Interrupted implements FaultCase {
    private final boolean saves;
    private final Object whole;

    Interrupted(boolean saves) {
      this.saves = saves;
      this.whole = Outcomes.of(() -> new Training(saves).run());
    }

    @Override
    public Run begin() {
      Training training = Outcomes.of(() -> new Training(saves));
      return new Run() {
        private Object result;

        @Override
        public void operate() {
          result = Outcomes.of(training::run);
        }

        @Override
        public String check(boolean failed) {
          if (!failed) {
            return Outcomes.same(result, whole) ? null : "is another training the second time";
          }
          try {
            return Outcomes.same(Outcomes.of(training::run), whole)
                ? null
                : "goes on to other weights";
          } catch (IllegalStateException e) {
            return e.getMessage().contains("(expected ") ? null : "refuses to go on: " + e;
          }
        }
      };
    }
  }
}
