package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.measuring.Measuring;
import dev.switchyard.bench.measuring.PeerTransformer;
import dev.switchyard.bench.peers.TorchTransformer;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.processes.Sharing;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.optim.AdamW;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** PyTorch is a peer only if it computes the same thing. */
@Tag("full")
class TorchTrainingTest {
  private static final Measuring MEASURING = Measuring.find().orElseThrow();

  private static final TrainOptions OPTIONS =
      new TrainOptions(
          TaskName.CLASSIFY,
          List.of(Precision.FLOAT32),
          1,
          100,
          24,
          2,
          3,
          OptimizerName.ADAMW,
          0.003f,
          2,
          5,
          Sharing.ALONE);

  @TempDir private Path folder;

  private final Trainer trainer = new Trainer(OPTIONS, FashionMnist.shipped());

  /**
   * The first loss differs by rounding alone. Rounding errors then grow from step to step, while a
   * wrong weight decay, moment or rate moves the tenth loss by 0.01 and more.
   */
  @Test
  void goesTheSameWayInFloat32() {
    TrainingRun run =
        new TrainingRun(folder, "float32", Map.of(), 5, 0, Processes.alone(), warning -> {});
    TrainingResult ours =
        trainer
            .run(run, Precision.FLOAT32, (step, steps, loss, batch) -> {}, () -> false)
            .orElseThrow();
    TrainingResult torch =
        trainer
            .runTorch(MEASURING, false, (step, steps, loss, batch) -> {}, () -> false)
            .orElseThrow();

    assertThat(torch.precision()).isEqualTo("PYTORCH_FLOAT32");
    assertThat(torch.losses()).hasSameSizeAs(ours.losses());
    assertThat(torch.losses().getFirst()).isCloseTo(ours.losses().getFirst(), within(1e-5));
    for (int i = 0; i < 30; i++) {
      assertThat(torch.losses().get(i))
          .as("step %d", i)
          .isCloseTo(ours.losses().get(i), within(1e-3));
    }
    assertThat(torch.finalLoss()).isCloseTo(ours.finalLoss(), within(1e-3));
    assertThat(torch.testAccuracy()).isCloseTo(ours.testAccuracy(), within(0.01));
  }

  /** One step is enough, and takes long on a CPU without bfloat16 instructions. */
  @Test
  void autocastRoundsToBfloat16() {
    double rounded = firstLoss(true);

    double first = firstLoss(false);
    assertThat(rounded).isNotEqualTo(first).isCloseTo(first, within(0.02));
  }

  private double firstLoss(boolean autocast) {
    double[] first = {0};
    trainer.runTorch(
        MEASURING, autocast, (step, steps, loss, batch) -> first[0] = loss, () -> true);
    return first[0];
  }

  @Test
  void leavesWhenInterrupted() {
    int[] steps = {0};

    assertThat(
            trainer.runTorch(
                MEASURING, false, (step, all, loss, batch) -> steps[0] = step, () -> steps[0] == 3))
        .isEmpty();
    assertThat(steps[0]).isEqualTo(3);
  }

  @Test
  void refusesOtherModels() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new TorchTransformer(
                    new PeerTransformer.Shape(28, 7, 24, 2, 3),
                    List.of(),
                    AdamW.Settings.DEFAULT,
                    false,
                    1))
        .withMessage("the model has 0 parameters (expected 7 and 12 for each of 2 blocks)");
  }
}
