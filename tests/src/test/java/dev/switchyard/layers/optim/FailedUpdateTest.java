package dev.switchyard.layers.optim;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.OutOfThreads;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Precisions;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.Progress;
import dev.switchyard.layers.io.TrainingState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An update that fails, wherever it does, is never taken for one that was made. */
class FailedUpdateTest {
  private final OutOfThreads executor = new OutOfThreads();
  private final Kernels kernels = Kernels.create(Parallel.over(executor, 3));
  private final FloatMatrix x = gaussian(4, 512, 1);
  private final FloatMatrix g = gaussian(4, 256, 2);

  @ParameterizedTest
  @CsvSource({"true, SWITCHBACK", "true, SWITCHBACK_Q", "false, SWITCHBACK", "false, FLOAT32"})
  void isRefusedUntilRestored(boolean stable, Precision precision) {
    Linear whole = new Linear("l", 512, 256, precision, RANDOM);
    Optimizer ofWhole = optimizer(stable, whole);
    List<float[]> expected = new ArrayList<>();
    for (int step = 0; step < 3; step++) {
      backward(whole);
      ofWhole.step(0.01f);
    }
    whole.parameters().forEach(p -> expected.add(p.value().data().clone()));

    int refused = 0;
    for (int at = 1; ; at++) {
      Linear layer = new Linear("l", 512, 256, precision, RANDOM);
      Optimizer optimizer = optimizer(stable, layer);
      backward(layer);
      optimizer.step(0.01f);
      Checkpoint checkpoint = copy(layer, optimizer);
      float[] before = layer.parameters().getFirst().value().data().clone();
      backward(layer);
      executor.failAt(at);
      try {
        optimizer.step(0.01f);
        break; // more tasks than there are
      } catch (OutOfMemoryError e) {
        assertNothingIsStale(layer, precision);
      } finally {
        executor.failAt(0);
      }
      if (isRefused(optimizer)) {
        refused++;
        TrainingState.restore(checkpoint, layer.parameters(), optimizer);
      } else { // it has looked at the gradients, no more
        assertThat(layer.parameters().getFirst().value().data()).isEqualTo(before);
      }
      for (int step = 1; step < 3; step++) {
        backward(layer);
        optimizer.step(0.01f);
      }
      for (int i = 0; i < expected.size(); i++) {
        assertThat(layer.parameters().get(i).value().data()).isEqualTo(expected.get(i));
      }
    }
    assertThat(refused).isPositive();
  }

  private static boolean isRefused(Optimizer optimizer) {
    try {
      return optimizer.state().isEmpty();
    } catch (IllegalStateException e) {
      assertThatIllegalStateException()
          .isThrownBy(() -> optimizer.step(0.01f))
          .withMessage(e.getMessage())
          .withMessageStartingWith("a step or restore of this optimizer has failed half-way: ");
      return true;
    }
  }

  private Optimizer optimizer(boolean stable, Linear layer) {
    return stable
        ? new StableAdamW(kernels, layer.parameters(), StableAdamW.Settings.DEFAULT)
        : new AdamW(kernels, layer.parameters(), AdamW.Settings.DEFAULT);
  }

  private void backward(Linear layer) {
    layer.parameters().forEach(Parameter::zeroGrad);
    Tape tape = Tape.recording(kernels);
    tape.backward(layer.forward(tape, Tensor.withGrad(x)), g);
  }

  private static Checkpoint copy(Linear layer, Optimizer optimizer) {
    Checkpoint shared =
        TrainingState.save(
            layer.parameters(), optimizer, new Progress(1, 0, 0, 1), Map.of(), Map.of());
    Map<String, FloatMatrix> weights = new java.util.TreeMap<>();
    shared.weights().forEach((name, weight) -> weights.put(name, weight.copy()));
    return new Checkpoint(
        weights,
        shared.vectors(),
        shared.state(),
        shared.steps(),
        shared.algorithm(),
        shared.progress(),
        shared.options());
  }

  /** The layer computes with the weights that it has now, changed or not. */
  private void assertNothingIsStale(Linear layer, Precision precision) {
    List<Parameter> now = new ArrayList<>();
    layer.parameters().forEach(p -> now.add(new Parameter(p.name(), p.value().copy(), true)));
    Linear same = Linear.of(now.get(0)).bias(now.get(1)).precision(precision).build();
    assertThat(output(layer)).isEqualTo(output(same));
  }

  private float[] output(Linear layer) {
    return Fixtures.values(layer.forward(Tape.none(kernels), Tensor.of(x)).value());
  }

  /** Nothing has changed, so there is nothing to restore. */
  @ParameterizedTest
  @CsvSource({"true", "false"})
  void anUpdateThatIsRefusedIsNoFailure(boolean stable) {
    Linear layer = new Linear("l", 8, 8, Precision.FLOAT32, RANDOM);
    Optimizer optimizer = optimizer(stable, layer);
    assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> optimizer.step(-1));
    layer.parameters().get(1).grad().data()[3] = Float.NaN;
    assertThatExceptionOfType(NonFiniteException.class).isThrownBy(() -> optimizer.step(0.1f));
    optimizer.zeroGrad();
    optimizer.step(0.1f);
    assertThat(optimizer.state()).allSatisfy(state -> assertThat(state.step()).isEqualTo(1));

    Linear quantized = new Linear("q", 64, 64, Precision.SWITCHBACK, RANDOM);
    Optimizer ofQuantized = optimizer(stable, quantized);
    ofQuantized.step(0.1f);
    Parameter weight = quantized.parameters().getFirst();
    FloatMatrix value = weight.value().copy();
    Precisions.release(quantized, kernels);
    assertThatIllegalStateException()
        .isThrownBy(() -> ofQuantized.step(0.1f))
        .withMessageStartingWith("parameter q.weight 64x64 has no value: it was released");
    weight.assign(value);
    ofQuantized.step(0.1f);
    assertThat(ofQuantized.state()).allSatisfy(state -> assertThat(state.step()).isEqualTo(2));
  }
}
