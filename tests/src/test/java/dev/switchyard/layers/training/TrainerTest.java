package dev.switchyard.layers.training;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.Dropout;
import dev.switchyard.layers.block.Sequential;
import dev.switchyard.layers.io.CheckpointFolder;
import dev.switchyard.layers.io.Progress;
import dev.switchyard.layers.io.TrainingState;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.GradientClipping;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A trainer beside the loop that it stands for. */
class TrainerTest {
  private static final Kernels KERNELS = Fixtures.kernels("vector", 2);
  private static final FloatMatrix DATA = gaussian(11, 4, 5);
  private static final int STEPS = 9;

  @TempDir private Path directory;

  /** A model with random masks, which show whether the tape's steps are counted right. */
  private static final class Training {
    final Sequential model =
        new Sequential(
            new Linear("first", 4, 6, Precision.SWITCHBACK, RANDOM.split(1)),
            new Dropout(0.3f, RANDOM.split(2)),
            new Linear("second", 6, 4, Precision.SWITCHBACK, RANDOM.split(3)));
    final Optimizer optimizer = new AdamW(KERNELS, model.parameters(), AdamW.Settings.DEFAULT);
    final Batches<FloatMatrix> batches =
        Batches.shuffled(DATA.rows(), 3, RANDOM.split(4), Training::rows);
    final Trainer trainer = trainer(STEPS);
    final List<TrainingListener.Step> told = new ArrayList<>();
    final List<TrainingListener.Evaluation> evaluated = new ArrayList<>();

    private Trainer trainer(int steps) {
      return new Trainer(KERNELS, model.parameters(), optimizer, schedule(), steps)
          .clip(0.1f)
          .listen(
              new TrainingListener() {
                @Override
                public void stepped(Step step) {
                  told.add(step);
                }

                @Override
                public void evaluated(Evaluation evaluation) {
                  evaluated.add(evaluation);
                }
              });
    }

    private static Schedule schedule() {
      return Schedule.cosine(0.02f, 2, STEPS);
    }

    private static FloatMatrix rows(int... rows) {
      FloatMatrix batch = FloatMatrix.allocate(rows.length, DATA.cols());
      for (int i = 0; i < rows.length; i++) {
        DATA.rowRange(rows[i], rows[i] + 1).copyTo(batch.rowRange(i, i + 1));
      }
      return batch;
    }

    Tensor loss(Tape tape, FloatMatrix batch) {
      return new MeanSquaredError().forward(tape, model.forward(tape, Tensor.of(batch)), batch);
    }

    TrainingResult run() throws IOException {
      return trainer.run(batches, this::loss);
    }

    double measure(Tape tape) {
      return loss(tape, DATA).value().get(0, 0);
    }

    float[][] weights() {
      return model.parameters().stream().map(p -> p.value().toArray()).toArray(float[][]::new);
    }
  }

  private CheckpointFolder folder() {
    return new CheckpointFolder(directory.resolve("run"), 2, warning -> {});
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void isTheLoopThatOneWouldWrite(int accumulation) throws IOException {
    Training by = new Training();
    Tape tape = Tape.recording(KERNELS);
    List<TrainingListener.Step> expected = new ArrayList<>();
    int next = 0;
    for (int step = 0; step < STEPS; step++) {
      double loss = 0;
      for (int i = 0; i < accumulation; i++) {
        int perPass = by.batches.perPass();
        Tensor mean = by.loss(tape, by.batches.batch(next / perPass, next % perPass));
        next++;
        loss += mean.value().get(0, 0);
        tape.backward(mean, FloatMatrix.of(new float[] {1f / accumulation}, 1, 1));
        tape.reset();
      }
      double norm = GradientClipping.clip(KERNELS, by.model.parameters(), 0.1f);
      float rate = Training.schedule().rate(step);
      by.optimizer.step(rate);
      by.optimizer.zeroGrad();
      expected.add(new TrainingListener.Step(step + 1, loss / accumulation, norm, rate));
    }
    Training training = new Training();
    training.trainer.accumulate(accumulation);
    assertThat(training.run())
        .isEqualTo(
            new TrainingResult(TrainingResult.End.FINISHED, STEPS, Double.POSITIVE_INFINITY, 0));
    assertThat(training.weights()).isDeepEqualTo(by.weights());
    assertThat(training.told).isEqualTo(expected);
  }

  @Test
  void withoutClippingThereIsNoNorm() throws IOException {
    Training training = new Training();
    List<Double> norms = new ArrayList<>();
    new Trainer(
            KERNELS, training.model.parameters(), training.optimizer, Schedule.constant(0.1f), 2)
        .listen(
            new TrainingListener() {
              @Override
              public void stepped(Step step) {
                norms.add(step.norm());
              }
            })
        .run(training.batches, training::loss);
    assertThat(norms).containsExactly(Double.NaN, Double.NaN);
  }

  /** A loss that fails before a step. */
  private static void interrupt(Training training, int step) {
    assertThatThrownBy(
            () ->
                training.trainer.run(
                    training.batches,
                    (tape, batch) -> {
                      Tensor loss = training.loss(tape, batch);
                      if (training.told.size() == step) {
                        throw new IllegalStateException("interrupted");
                      }
                      return loss;
                    }))
        .hasMessage("interrupted");
  }

  /** Wherever it is interrupted, whether its checkpoint is of that step or of one before. */
  @ParameterizedTest
  @CsvSource({"0, 1", "1, 1", "2, 3", "4, 3", "6, 3", "8, 4", "8, 9"})
  void goesOnAsIfNotInterrupted(int interrupted, int every) throws IOException {
    Training whole = new Training();
    whole.trainer.accumulate(2).evaluate(2, whole::measure);
    TrainingResult result = whole.run();
    Training first = new Training();
    first.trainer.accumulate(2).evaluate(2, first::measure).checkpoint(folder(), every, 7);
    interrupt(first, interrupted);
    Training second = new Training();
    second.trainer.accumulate(2).evaluate(2, second::measure).checkpoint(folder(), every, 7);
    assertThat(second.run()).isEqualTo(result);
    assertThat(second.weights()).isDeepEqualTo(whole.weights());
    int from = interrupted / every * every;
    assertThat(second.told).isEqualTo(whole.told.subList(from, STEPS));
    assertThat(second.evaluated).isEqualTo(whole.evaluated.subList(from / 2, 5));
    assertThat(second.run()).isEqualTo(result); // which is done
    assertThat(second.told).hasSize(STEPS - from);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5, 8})
  void goesOnAfterAnException(int step) throws IOException {
    Training whole = new Training();
    whole.trainer.accumulate(2).evaluate(2, whole::measure);
    TrainingResult result = whole.run();
    Training training = new Training();
    training.trainer.accumulate(2).evaluate(2, training::measure);
    interrupt(training, step);
    assertThat(training.run()).isEqualTo(result);
    assertThat(training.weights()).isDeepEqualTo(whole.weights());
    assertThat(training.told).isEqualTo(whole.told);
    assertThat(training.evaluated).isEqualTo(whole.evaluated);
  }

  /** The best is the third; the fourth is as good, which is no better, and the fifth no number. */
  @ParameterizedTest
  @CsvSource({"1, 2, NO_BETTER", "2, 5, NO_BETTER", "3, 6, NO_BETTER", "4, 7, FINISHED"})
  void endsEarly(int patience, int evaluations, TrainingResult.End end) throws IOException {
    double[] values = {3, 4, 1, 1, Double.NaN, 2, 5};
    for (boolean interrupted : new boolean[] {false, true}) {
      List<Double> measured = new ArrayList<>();
      List<Boolean> best = new ArrayList<>();
      TrainingResult result = null;
      for (int run = 0; run < (interrupted ? 2 : 1); run++) {
        Training training = new Training();
        Trainer trainer = training.trainer(7).stopAfter(patience);
        trainer.evaluate(
            1,
            tape -> {
              measured.add(values[measured.size()]);
              if (measured.size() == 2 && interrupted) {
                trainer.stop();
              }
              return measured.getLast();
            });
        if (interrupted) {
          Path early = directory.resolve("early" + patience);
          trainer.checkpoint(new CheckpointFolder(early, 1, warning -> {}), 100, 7);
        }
        result = trainer.run(training.batches, training::loss);
        training.evaluated.forEach(e -> best.add(e.isBest()));
      }
      boolean atFirst = patience == 1;
      assertThat(result)
          .isEqualTo(new TrainingResult(end, evaluations, atFirst ? 3 : 1, atFirst ? 1 : 3));
      assertThat(measured).hasSize(evaluations);
      assertThat(best)
          .isEqualTo(
              List.of(true, false, true, false, false, false, false).subList(0, evaluations));
    }
  }

  @Test
  void stopsWhereItIsAskedTo() throws IOException {
    Training training = new Training();
    Trainer trainer = training.trainer;
    trainer.listen(
        new TrainingListener() {
          @Override
          public void stepped(Step step) {
            training.told.add(step);
            if (step.done() % 4 == 0) {
              trainer.stop();
            }
          }
        });
    Training whole = new Training();
    whole.run();
    for (int run = 1; run <= 3; run++) {
      TrainingResult result = training.run();
      assertThat(result.done()).isEqualTo(Math.min(4 * run, STEPS));
      assertThat(result.end())
          .isEqualTo(run < 3 ? TrainingResult.End.STOPPED : TrainingResult.End.FINISHED);
    }
    assertThat(training.told).isEqualTo(whole.told);
    assertThat(training.weights()).isDeepEqualTo(whole.weights());
  }

  @Test
  void refusesCheckpointsOfOtherRuns() throws IOException {
    Training first = new Training();
    first.trainer(5).checkpoint(folder(), 100, 7).run(first.batches, first::loss);
    for (int[] other : new int[][] {{8, 1, 3}, {7, 2, 3}, {7, 1, 5}}) {
      Training second = new Training();
      float[][] weights = second.weights();
      Batches<FloatMatrix> batches =
          Batches.shuffled(DATA.rows(), other[2], RANDOM, Training::rows);
      Trainer trainer = second.trainer(9).accumulate(other[1]).checkpoint(folder(), 1, other[0]);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> trainer.run(batches, second::loss))
          .withMessageStartingWith(
              "the newest checkpoint is of another run: Progress[step=5, seed=7, epoch=1,"
                  + " nextBatch=2] (expected Progress[step=5, seed="
                  + other[0]);
      assertThat(second.weights()).isDeepEqualTo(weights);
    }
    Training third = new Training();
    TrainingState.save(
            third.model.parameters(),
            third.optimizer,
            new Progress(6, 7, 2, 0),
            Map.of(),
            Map.of("mine", "1"))
        .write(directory.resolve("run/step-000000000006.safetensors"));
    third.trainer.checkpoint(folder(), 1, 7);
    assertThatIllegalArgumentException()
        .isThrownBy(third::run)
        .withMessage("the checkpoint has options {mine=1} (expected those that a Trainer saves)");
  }

  @Test
  void refusesWhatIsOutOfRange() {
    Training training = new Training();
    Trainer trainer = training.trainer;
    refuses("steps is -1 (expected 0 or more)", () -> training.trainer(-1));
    refuses("batches is 0 (expected 1 or more)", () -> trainer.accumulate(0));
    refuses("every is 0 (expected 1 or more)", () -> trainer.evaluate(0, tape -> 0));
    refuses("evaluations is 0 (expected 1 or more)", () -> trainer.stopAfter(0));
    refuses("every is 0 (expected 1 or more)", () -> trainer.checkpoint(folder(), 0, 1));
    for (float norm : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      refuses("norm is " + norm + " (expected more than 0, and finite)", () -> trainer.clip(norm));
    }
    Batches<FloatMatrix> none =
        new Batches<>() {
          @Override
          public int perPass() {
            return 0;
          }

          @Override
          public FloatMatrix batch(long pass, int place) {
            return DATA;
          }
        };
    refuses("batches.perPass() is 0 (expected 1 or more)", () -> trainer.run(none, training::loss));
  }

  private static void refuses(String sentence, ThrowingCallable call) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessage(sentence);
  }
}
