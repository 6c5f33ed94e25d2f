package dev.switchyard.bench.processes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.Dropout;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.mpi.Reduction;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SharedStepsTest {
  /** The losses of steps that change no weight: only masks tell one from another. */
  private static List<Double> losses(int shards, int from, int to) {
    Kernels kernels = Kernels.create(Parallel.serial());
    Linear layer = new Linear("layer", 8, 8, Precision.FLOAT32, new CounterRandom(1));
    Dropout dropout = new Dropout(0.5f, new CounterRandom(2));
    FloatMatrix x = FloatMatrix.allocate(4, 8);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = i + 1;
    }
    Tape tape = Tape.recording(kernels);
    SharedSteps steps =
        new SharedSteps(
            Processes.alone(),
            new Sharing(Reduction.FLOAT32, shards, false, 0),
            kernels,
            tape,
            new Profile(),
            layer.parameters(),
            parameters -> new AdamW(kernels, parameters, AdamW.Settings.DEFAULT),
            1);
    steps.resumeAfter(from);
    return IntStream.range(from, to)
        .mapToObj(
            _ ->
                steps.step(
                    shard -> {
                      Tensor y = layer.forward(tape, dropout.forward(tape, Tensor.of(x)));
                      return new SharedSteps.Part(new MeanSquaredError().forward(tape, y, x), 1);
                    },
                    0))
        .toList();
  }

  /** However many steps of the tape each has. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void stepsGoOnWithTheMasksThatTheyWouldHaveHad(int shards) {
    List<Double> all = losses(shards, 0, 4);
    assertThat(all).doesNotHaveDuplicates();
    for (int done = 1; done < 4; done++) {
      assertThat(losses(shards, done, 4)).isEqualTo(all.subList(done, 4));
    }
  }
}
