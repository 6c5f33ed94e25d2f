package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.io.Fingerprint;
import dev.switchyard.layers.loss.ContrastiveLoss;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.GradientClipping;
import dev.switchyard.layers.optim.MomentState;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.StableAdamW;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Trainings that one process and several must agree on; every process checks its own side. */
final class RanksInTraining {
  private static final int WIDTH = 24;
  private static final int SEQUENCE = 5;
  private static final int EACH = 2; // sequences of a shard
  private static final int STEPS = 6;

  private final Mpi mpi;
  private final Kernels kernels = Kernels.create(Parallel.serial());

  RanksInTraining(Mpi mpi) {
    this.mpi = mpi;
  }

  void run() {
    orderedSumsGiveTheBitsOfOneProcess();
    otherReductionsComeClose();
    shardedStateGivesTheBitsOfWholeState();
    localStepsAgree();
    contrastiveLossIsThatOfTheWholeBatch();
    whatIsNotFiniteIsSoEverywhere();
  }

  /** A model, its optimizer, and how its gradients travel. */
  private final class Training {
    private final Transformer model =
        new Transformer(
            "model", 2, BlockOptions.of(WIDTH, 2, Precision.SWITCHBACK), new CounterRandom(3));
    private final Tape tape = Tape.recording(kernels);
    private final MeanSquaredError distance = new MeanSquaredError();
    private final DataParallel parallel;
    private final Collective processes;
    private final int shards;
    private final Optimizer optimizer;

    Training(
        Collective processes,
        Reduction reduction,
        int shards,
        Function<List<Parameter>, Optimizer> optimizer) {
      this.processes = processes;
      this.shards = shards;
      this.parallel =
          new DataParallel(
              processes,
              kernels,
              model.parameters(),
              new DataParallel.Settings(reduction, shards, 1000, 5));
      this.optimizer = optimizer.apply(model.parameters());
      tape.whenComplete(parallel::complete);
    }

    Training steps(int from, int to) {
      for (int step = from; step < to; step++) {
        for (int shard = 0; shard < shards; shard++) {
          backward(step, processes.rank() * shards + shard);
          parallel.afterBackward();
        }
        GradientClipping.clip(kernels, model.parameters(), 0.5f);
        optimizer.step(0.01f);
        optimizer.zeroGrad();
      }
      return this;
    }

    private void backward(int step, int shard) {
      FloatMatrix x = gaussian(100L * step + shard);
      Sequences sequences = Sequences.uniform(EACH, SEQUENCE);
      Tensor y = model.forward(tape, Tensor.of(x), sequences);
      tape.backward(distance.forward(tape, y, gaussian(7)));
      tape.reset();
    }

    String fingerprint() {
      return Fingerprint.of(model.parameters());
    }

    float[] values() {
      float[] all = new float[0];
      for (Parameter parameter : model.parameters()) {
        float[] value = parameter.value().data();
        int at = all.length;
        all = Arrays.copyOf(all, at + value.length);
        System.arraycopy(value, 0, all, at, value.length);
      }
      return all;
    }
  }

  private static FloatMatrix gaussian(long stream) {
    FloatMatrix x = FloatMatrix.allocate(EACH * SEQUENCE, WIDTH);
    long key = new CounterRandom(11).key(stream);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = CounterRandom.gaussian(key, i);
    }
    return x;
  }

  private Optimizer stable(List<Parameter> parameters) {
    return new StableAdamW(kernels, parameters, StableAdamW.Settings.DEFAULT);
  }

  private Training alone(Reduction reduction) {
    return new Training(new SingleProcess(), reduction, 2 * mpi.size(), this::stable);
  }

  private void orderedSumsGiveTheBitsOfOneProcess() {
    Training one = alone(Reduction.ORDERED).steps(0, STEPS);
    Training many = new Training(mpi, Reduction.ORDERED, 2, this::stable).steps(0, STEPS);
    assertThat(many.fingerprint()).isEqualTo(one.fingerprint());
  }

  /** Parameters move by about the learning rate a step, so this is what a difference means. */
  private void otherReductionsComeClose() {
    float[] start = alone(Reduction.ORDERED).values();
    float[] expected = alone(Reduction.ORDERED).steps(0, 1).values();
    Map<Reduction, Double> bounds = new EnumMap<>(Reduction.class); // the same order everywhere
    bounds.put(Reduction.FLOAT32, 1e-5);
    bounds.put(Reduction.BFLOAT16, 0.02);
    bounds.put(Reduction.INT8, 0.25);
    for (Reduction reduction : bounds.keySet()) {
      Training training = new Training(mpi, reduction, 2, this::stable);
      requireSameEverywhere(training.steps(0, 1));
      assertThat(distance(training.values(), expected) / distance(start, expected))
          .as(reduction.name())
          .isLessThan(bounds.get(reduction));
      requireSameEverywhere(training.steps(1, STEPS));
    }
    long full = new Training(mpi, Reduction.FLOAT32, 2, this::stable).parallel.bytesPerStep();
    long half = new Training(mpi, Reduction.BFLOAT16, 2, this::stable).parallel.bytesPerStep();
    long quarter = new Training(mpi, Reduction.INT8, 2, this::stable).parallel.bytesPerStep();
    assertThat(half).isLessThan(full);
    assertThat(quarter).isLessThan(half);
  }

  private static double distance(float[] a, float[] b) {
    double squares = 0;
    for (int i = 0; i < a.length; i++) {
      squares += Math.pow(a[i] - b[i], 2);
    }
    return Math.sqrt(squares);
  }

  private void requireSameEverywhere(Training training) {
    Agreement.require(mpi, Map.of("parameters", training.fingerprint()));
  }

  private Optimizer sharded(List<Parameter> parameters) {
    return new ShardedOptimizer(mpi, kernels, parameters, this::stable);
  }

  private void shardedStateGivesTheBitsOfWholeState() {
    Training whole = alone(Reduction.ORDERED).steps(0, STEPS);
    Training sharded = new Training(mpi, Reduction.ORDERED, 2, this::sharded).steps(0, STEPS);
    assertThat(sharded.fingerprint()).isEqualTo(whole.fingerprint());
    requireSame(sharded.optimizer.state(), whole.optimizer.state());

    double[] bytes = {((ShardedOptimizer) sharded.optimizer).stateBytes()};
    mpi.sum(bytes);
    assertThat(bytes[0]).isEqualTo(8.0 * whole.values().length);
    assertThat(((ShardedOptimizer) sharded.optimizer).stateBytes())
        .isLessThan((long) (1.5 * bytes[0] / mpi.size()));

    // From one process to many, and on: the state knows nothing of how many there were.
    Training resumed = new Training(mpi, Reduction.ORDERED, 2, this::sharded);
    for (int i = 0; i < resumed.model.parameters().size(); i++) {
      resumed.model.parameters().get(i).assign(whole.model.parameters().get(i).value());
    }
    resumed.optimizer.restore(whole.optimizer.state());
    whole.steps(STEPS, STEPS + 2);
    resumed.steps(STEPS, STEPS + 2);
    assertThat(resumed.fingerprint()).isEqualTo(whole.fingerprint());
    assertThat(sharded.optimizer.skipped()).isEmpty();
    assertThatThrownBy(
            () ->
                resumed.optimizer.restore(
                    List.of(new MomentState("stranger", 1, new float[1], new float[1]))))
        .hasMessage("the state does not fit the optimizer: no parameter stranger");
  }

  private static void requireSame(List<MomentState> actual, List<MomentState> expected) {
    Map<String, MomentState> byName = new HashMap<>();
    actual.forEach(state -> byName.put(state.name(), state));
    assertThat(byName).hasSize(expected.size());
    for (MomentState state : expected) {
      assertThat(byName.get(state.name()).step()).isEqualTo(state.step());
      assertThat(byName.get(state.name()).m()).isEqualTo(state.m());
      assertThat(byName.get(state.name()).v()).isEqualTo(state.v());
    }
  }

  /** Against the formula, with each process's own steps computed by all of them. */
  private void localStepsAgree() {
    int every = 3;
    LocalSteps.Settings settings = new LocalSteps.Settings(every, 0.5f, 0.75f);
    Training mine = new Training(new SingleProcess(), Reduction.FLOAT32, 1, this::stable);
    LocalSteps local =
        new LocalSteps(mpi, kernels, mine.model.parameters(), Reduction.ORDERED, 1, settings);
    List<Training> everyone = new ArrayList<>();
    for (int rank = 0; rank < mpi.size(); rank++) {
      everyone.add(new Training(new SingleProcess(), Reduction.FLOAT32, 1, this::stable));
    }
    float[] x = mine.values();
    float[] m = new float[x.length];
    for (int step = 0; step < 2 * every; step++) {
      stepOfRank(mine, step, mpi.rank());
      for (int rank = 0; rank < mpi.size(); rank++) {
        stepOfRank(everyone.get(rank), step, rank);
      }
      boolean agreed = local.afterStep();
      assertThat(agreed).isEqualTo(step % every == every - 1);
      if (agreed) {
        List<float[]> theirs = everyone.stream().map(Training::values).toList();
        for (int i = 0; i < x.length; i++) {
          float sum = 0;
          for (float[] w : theirs) {
            sum += x[i] - w[i];
          }
          float g = sum * (1f / mpi.size());
          m[i] = 0.75f * m[i] + g;
          x[i] -= 0.5f * (g + 0.75f * m[i]);
        }
        assertThat(mine.values()).isEqualTo(x);
        everyone.forEach(training -> assign(training, x));
        requireSameEverywhere(mine);
      }
    }
    LocalSteps again =
        new LocalSteps(mpi, kernels, mine.model.parameters(), Reduction.ORDERED, 1, settings);
    again.restore(local.state());
    for (String name : local.state().keySet()) {
      assertThat(again.state().get(name).data()).isEqualTo(local.state().get(name).data());
    }
    assertThatThrownBy(() -> again.restore(Map.of()))
        .hasMessageStartingWith("the state has nothing for model")
        .hasMessageEndingWith("(expected a momentum of its shape)");
    assertThat(local.bytesPerAgreement()).isPositive();
  }

  private void stepOfRank(Training training, int step, int rank) {
    training.backward(step, rank);
    training.parallel.afterBackward();
    training.optimizer.step(0.01f);
    training.optimizer.zeroGrad();
  }

  private static void assign(Training training, float[] values) {
    int at = 0;
    for (Parameter parameter : training.model.parameters()) {
      int length = parameter.rows() * parameter.cols();
      parameter.assign(
          FloatMatrix.of(
              Arrays.copyOfRange(values, at, at + length), parameter.rows(), parameter.cols()));
      at += length;
    }
  }

  private void contrastiveLossIsThatOfTheWholeBatch() {
    Linear one = new Linear("tower", WIDTH, 8, Precision.FLOAT32, new CounterRandom(1));
    ContrastiveLoss lossOfOne = new ContrastiveLoss("loss");
    Linear many = new Linear("tower", WIDTH, 8, Precision.FLOAT32, new CounterRandom(1));
    ContrastiveLoss lossOfMany = new ContrastiveLoss("loss");
    int rows = EACH * SEQUENCE;
    FloatMatrix images = FloatMatrix.allocate(mpi.size() * rows, WIDTH);
    FloatMatrix texts = FloatMatrix.allocate(mpi.size() * rows, WIDTH);
    for (int rank = 0; rank < mpi.size(); rank++) {
      gaussian(rank).copyTo(images.rowRange(rank * rows, (rank + 1) * rows));
      gaussian(50 + rank).copyTo(texts.rowRange(rank * rows, (rank + 1) * rows));
    }
    Tape tape = Tape.recording(kernels);
    Tensor expected =
        lossOfOne.forward(
            tape, one.forward(tape, Tensor.of(images)), one.forward(tape, Tensor.of(texts)));
    float expectedLoss = expected.value().get(0, 0);
    tape.backward(expected);

    List<Parameter> parameters = new ArrayList<>(many.parameters());
    parameters.addAll(lossOfMany.parameters());
    DataParallel parallel =
        new DataParallel(mpi, kernels, parameters, DataParallel.Settings.DEFAULT);
    GatheredRows gathered = new GatheredRows(mpi);
    Tape ofMany = Tape.recording(kernels);
    ofMany.whenComplete(parallel::complete);
    int from = mpi.rank() * rows;
    Tensor loss =
        lossOfMany.forward(
            ofMany,
            gathered.forward(
                ofMany, many.forward(ofMany, Tensor.of(images.rowRange(from, from + rows)))),
            gathered.forward(
                ofMany, many.forward(ofMany, Tensor.of(texts.rowRange(from, from + rows)))));
    assertThat(loss.value().get(0, 0)).isEqualTo(expectedLoss);
    ofMany.backward(loss);
    parallel.afterBackward();
    List<Parameter> ofOne = new ArrayList<>(one.parameters());
    ofOne.addAll(lossOfOne.parameters());
    for (int i = 0; i < parameters.size(); i++) {
      float[] actual = parameters.get(i).grad().data();
      float[] wanted = ofOne.get(i).grad().data();
      // Sums of the same terms in another order.
      assertThat(distance(actual, wanted))
          .isLessThan(1e-5 * (1e-3 + distance(wanted, new float[wanted.length])));
    }
  }

  private void whatIsNotFiniteIsSoEverywhere() {
    for (Reduction reduction : Reduction.values()) {
      Parameter spoiled = new Parameter("spoiled", FloatMatrix.allocate(3, 700), true);
      DataParallel parallel =
          new DataParallel(
              mpi, kernels, List.of(spoiled), new DataParallel.Settings(reduction, 1, 1 << 18, 1));
      for (float value : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
        spoiled.zeroGrad();
        if (mpi.rank() == mpi.size() - 1) {
          spoiled.grad().set(2, 5, value);
        }
        parallel.afterBackward();
        assertThat(spoiled.grad().get(2, 5)).as(reduction.name()).isNotEqualTo(0);
        for (Optimizer optimizer :
            List.of(
                new AdamW(kernels, List.of(spoiled), AdamW.Settings.DEFAULT),
                new ShardedOptimizer(
                    mpi,
                    kernels,
                    List.of(spoiled),
                    own -> new AdamW(kernels, own, AdamW.Settings.DEFAULT)))) {
          assertThatThrownBy(() -> optimizer.step(0.1f))
              .isInstanceOf(NonFiniteException.class)
              .hasMessageContaining("of the gradient of spoiled 3x700 is ");
        }
        Kernels propagating = kernels.withNonFinite(NonFinitePolicy.PROPAGATE);
        ShardedOptimizer skipping =
            new ShardedOptimizer(
                mpi,
                propagating,
                List.of(spoiled),
                own -> new AdamW(propagating, own, AdamW.Settings.DEFAULT));
        skipping.step(0.1f);
        assertThat(skipping.skipped()).isEqualTo(Map.of("spoiled", 1L));
      }
      // Error feedback has kept nothing of it.
      spoiled.zeroGrad();
      parallel.afterBackward();
      assertThat(spoiled.grad().data()).containsOnly(0);
    }
  }
}
