package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.io.Fingerprint;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.Optimizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A quantized layer whose loss gradient is NaN on process 1 alone. */
final class RanksWithNan {
  private static final int WIDTH = 8;

  private final Collective mpi;
  private final List<Parameter> parameters = new ArrayList<>();
  private final Linear quantized =
      new Linear("quantized", WIDTH, WIDTH, Precision.SWITCHBACK, new CounterRandom(1));
  private final Linear last =
      new Linear("last", WIDTH, WIDTH, Precision.FLOAT32, new CounterRandom(2));
  private final Tape tape;
  private final DataParallel parallel;
  private final Optimizer optimizer;

  RanksWithNan(Collective mpi, NonFinitePolicy policy) {
    this(mpi, policy, Reduction.FLOAT32, false);
  }

  private RanksWithNan(
      Collective mpi, NonFinitePolicy policy, Reduction reduction, boolean optimizerIsSharded) {
    this.mpi = mpi;
    Kernels kernels = Kernels.create(Parallel.serial()).withNonFinite(policy);
    parameters.addAll(quantized.parameters());
    parameters.addAll(last.parameters());
    tape = Tape.recording(kernels);
    parallel =
        new DataParallel(mpi, kernels, parameters, new DataParallel.Settings(reduction, 1, 50, 1));
    tape.whenComplete(parallel::complete);
    optimizer =
        optimizerIsSharded
            ? new ShardedOptimizer(
                mpi, kernels, parameters, own -> new AdamW(kernels, own, AdamW.Settings.DEFAULT))
            : new AdamW(kernels, parameters, AdamW.Settings.DEFAULT);
  }

  static void goOn(Mpi mpi) {
    for (Reduction reduction : Reduction.values()) {
      for (boolean sharded : new boolean[] {false, true}) {
        abandonTogether(mpi, reduction, sharded);
        skipTogether(mpi, reduction, sharded);
      }
    }
  }

  /** The step that the process cannot make is made by none, and has left no trace. */
  private static void abandonTogether(Mpi mpi, Reduction reduction, boolean sharded) {
    RanksWithNan calm = new RanksWithNan(mpi, NonFinitePolicy.REJECT, reduction, sharded);
    RanksWithNan shaken = new RanksWithNan(mpi, NonFinitePolicy.REJECT, reduction, sharded);
    calm.step(false);
    shaken.step(false);
    RuntimeException caught = shaken.step(true, true);
    if (mpi.rank() == 1) {
      assertThat(caught).isInstanceOf(NonFiniteException.class);
    } else {
      assertThat(caught)
          .isInstanceOf(AbandonedStepException.class)
          .hasMessageContaining("process 1: dev.switchyard.kernels.data.NonFiniteException: ");
    }
    calm.step(false);
    shaken.step(false);
    assertThat(Fingerprint.of(shaken.parameters)).isEqualTo(Fingerprint.of(calm.parameters));
    calm.end();
    shaken.end();
  }

  /** The number reaches all processes, whose optimizers leave the same parameters out. */
  private static void skipTogether(Mpi mpi, Reduction reduction, boolean sharded) {
    RanksWithNan training = new RanksWithNan(mpi, NonFinitePolicy.PROPAGATE, reduction, sharded);
    training.step(false);
    String before = Fingerprint.of(training.parameters);
    training.step(true);
    assertThat(Fingerprint.of(training.parameters)).isEqualTo(before);
    assertThat(training.optimizer.skipped()).hasSize(4).containsValue(1L);
    training.step(false);
    assertThat(Fingerprint.of(training.parameters)).isNotEqualTo(before);
    assertThat(training.optimizer.skipped()).doesNotContainValue(2L);
    training.end();
  }

  private void end() {
    Agreement.require(mpi, Map.of("parameters", Fingerprint.of(parameters)));
    parallel.close();
  }

  /** A step, which throws what goes wrong. */
  void step(boolean nan) {
    step(nan, false);
  }

  private RuntimeException step(boolean nan, boolean abandons) {
    RuntimeException caught = null;
    try {
      FloatMatrix x = FloatMatrix.allocate(2, WIDTH);
      for (int i = 0; i < x.data().length; i++) {
        x.data()[i] = CounterRandom.gaussian(mpi.rank(), i);
      }
      FloatMatrix gy = FloatMatrix.allocate(2, WIDTH);
      x.copyTo(gy);
      if (nan && mpi.rank() == 1) {
        gy.set(0, 0, Float.NaN);
        gy.set(1, 1, Float.NaN);
      }
      Tensor y = last.forward(tape, quantized.forward(tape, Tensor.withGrad(x)));
      tape.backward(y, gy);
      parallel.afterBackward();
      optimizer.step(0.01f);
    } catch (NonFiniteException | AbandonedStepException e) {
      if (!abandons) {
        throw e;
      }
      parallel.abandon(e);
      caught = e;
    }
    optimizer.zeroGrad();
    tape.reset();
    return caught;
  }
}
