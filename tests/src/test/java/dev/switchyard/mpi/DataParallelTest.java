package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The exchange of gradients as far as one process can show it. */
class DataParallelTest {
  private final Kernels kernels = Kernels.create(Parallel.serial());
  private final List<Parameter> parameters =
      List.of(
          parameter("a", 3, 5), parameter("b", 1, 1), parameter("c", 29, 37), parameter("d", 2, 0));

  private static Parameter parameter(String name, int rows, int cols) {
    return new Parameter(name, FloatMatrix.allocate(rows, cols), true);
  }

  private static float gradient(int shard, Parameter parameter, int i) {
    long key = new CounterRandom(shard).key(parameter.name().hashCode());
    return CounterRandom.gaussian(key, i);
  }

  private void accumulate(int shard) {
    for (Parameter parameter : parameters) {
      float[] g = parameter.grad().data();
      for (int i = 0; i < g.length; i++) {
        g[i] += gradient(shard, parameter, i);
      }
    }
  }

  private DataParallel parallel(Reduction reduction, int shards, int bucket) {
    return new DataParallel(
        new SingleProcess(),
        kernels,
        parameters,
        new DataParallel.Settings(reduction, shards, bucket, 1));
  }

  /** Buckets that cut parameters anywhere, gradients announced in any order, or not at all. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 1, 1",
    "FLOAT32, 1, 7",
    "FLOAT32, 3, 1000",
    "ORDERED, 1, 13",
    "ORDERED, 3, 1",
    "ORDERED, 4, 511",
    "ORDERED, 2, 512",
    "ORDERED, 5, 100000"
  })
  void meanIsThatOfAllShards(Reduction reduction, int shards, int bucket) {
    DataParallel parallel = parallel(reduction, shards, bucket);
    for (int step = 0; step < 3; step++) {
      for (int shard = 0; shard < shards; shard++) {
        accumulate(10 * step + shard);
        if (shard % 2 == 1) {
          parallel.complete(parameters.get(2));
          parallel.complete(parameters.get(0));
          parallel.complete(parameter("stranger", 1, 1));
        }
        parallel.afterBackward();
      }
      for (Parameter parameter : parameters) {
        for (int i = 0; i < parameter.grad().data().length; i++) {
          float sum = gradient(10 * step, parameter, i);
          for (int shard = 1; shard < shards; shard++) {
            sum += gradient(10 * step + shard, parameter, i);
          }
          assertThat(parameter.grad().data()[i]).isEqualTo(sum * (1f / shards));
        }
        parameter.zeroGrad();
      }
    }
  }

  /**
   * Error feedback: what one step loses, the next ones give back. The sum of what arrived differs
   * from the sum of what was sent by the residual of the last step alone, however many there were:
   * that of a gradient and that of a sum, each at most one unit of rounding.
   */
  @ParameterizedTest
  @EnumSource(
      value = Reduction.class,
      names = {"BFLOAT16", "INT8"})
  void whatRoundingTakesAwayComesBack(Reduction reduction) {
    DataParallel parallel = parallel(reduction, 1, 700);
    Parameter parameter = parameters.get(2);
    int steps = 50;
    double[] arrived = new double[parameter.grad().data().length];
    double[] sent = new double[arrived.length];
    boolean lossy = false;
    for (int step = 0; step < steps; step++) {
      parameters.forEach(Parameter::zeroGrad);
      accumulate(step);
      float[] g = parameter.grad().data();
      float[] before = g.clone();
      parallel.afterBackward();
      for (int i = 0; i < g.length; i++) {
        sent[i] += before[i];
        arrived[i] += g[i];
        lossy |= g[i] != before[i];
      }
    }
    assertThat(lossy).isTrue();
    // The largest of what is sent: 5 standard deviations, and the residual of the step before.
    double unit = 6 * (reduction == Reduction.INT8 ? 1.0 / 127 : 1.0 / 256);
    for (int i = 0; i < sent.length; i++) {
      assertThat(Math.abs(arrived[i] - sent[i])).isLessThan(2 * unit);
    }
  }

  @Test
  void frozenParametersDoNotTakePart() {
    parameters.get(0).setFrozen(true);
    DataParallel parallel = parallel(Reduction.ORDERED, 2, 100);
    Arrays.fill(parameters.get(0).grad().data(), 3);
    parallel.afterBackward();
    parallel.afterBackward();
    assertThat(parameters.get(0).grad().data()).containsOnly(3);
  }

  @Test
  void settingsOutOfRangeAreRefused() {
    assertThatThrownBy(() -> new DataParallel.Settings(Reduction.INT8, 0, 5, 1))
        .hasMessage("shards is 0 and bucket is 5 (expected 1 or more)");
    assertThatThrownBy(() -> new LocalSteps.Settings(0, 0.7f, 1))
        .hasMessage(
            "every is 0, rate 0.7 and momentum 1.0 (expected 1 or more, more than 0, and 0 to less"
                + " than 1)");
  }

  /** Or buckets would be of other sizes, and processes wait for ever or add what differs. */
  @Test
  void processesThatDifferAreRefused() throws InterruptedException {
    DataParallel.Settings settings = new DataParallel.Settings(Reduction.ORDERED, 1, 9, 1);
    requireRefusal(
        rank -> new DataParallel(rank, kernels, of(3 + rank.rank()), settings),
        "process 1 has parameter 0 p 4x5 but process 0 has p 3x5 (expected the same everywhere)");
    requireRefusal(
        rank ->
            new DataParallel(
                rank,
                kernels,
                of(3),
                new DataParallel.Settings(Reduction.ORDERED, 1, 9, rank.rank())),
        "process 1 has settings Settings[reduction=ORDERED, shards=1, bucket=9, seed=1] but process"
            + " 0 has Settings[reduction=ORDERED, shards=1, bucket=9, seed=0] (expected the same"
            + " everywhere)");
    requireRefusal(
        rank ->
            new LocalSteps(
                rank,
                kernels,
                of(3),
                Reduction.ORDERED,
                1,
                LocalSteps.Settings.every(2 + rank.rank())),
        "process 1 has settings Settings[every=3, rate=0.7, momentum=0.9] but process 0 has"
            + " Settings[every=2, rate=0.7, momentum=0.9] (expected the same everywhere)");
    requireRefusal(
        rank -> new ShardedOptimizer(rank, kernels, of(3 + rank.rank()), own -> null),
        "process 1 has parameter 0 p 4x5 but process 0 has p 3x5 (expected the same everywhere)");
  }

  private static List<Parameter> of(int rows) {
    return List.of(parameter("p", rows, 5));
  }

  private static void requireRefusal(Consumer<Collective> joining, String message)
      throws InterruptedException {
    int open =
        ThreadRanks.run(
            2,
            rank ->
                assertThatThrownBy(() -> joining.accept(rank))
                    .isInstanceOf(CollectiveException.class)
                    .hasMessage(message));
    assertThat(open).isZero();
  }
}
