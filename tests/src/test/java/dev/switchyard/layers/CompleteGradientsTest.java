package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link Tape#whenComplete} tells of each parameter once, and not before its gradient is whole. */
class CompleteGradientsTest {
  private static final int WIDTH = 8;

  private final Kernels kernels = Kernels.create(Parallel.serial());
  private final Sequences sequences = Sequences.ofLengths(3, 0, 5);

  @ParameterizedTest
  @CsvSource({"false, FLOAT32", "true, FLOAT32", "false, SWITCHBACK", "true, INT8_ALL"})
  void gradientsAreCompleteWhenTold(boolean recomputed, Precision precision) {
    BlockOptions options = BlockOptions.of(WIDTH, 2, precision);
    Transformer twice =
        new Transformer(
            "model", 2, recomputed ? options.withRecompute() : options, new CounterRandom(1));
    Linear head = new Linear("head", WIDTH, 3, precision, new CounterRandom(2));
    Linear unused = new Linear("unused", WIDTH, 3, precision, new CounterRandom(2));
    twice.parameters().getFirst().setFrozen(true);

    Tape tape = Tape.recording(kernels);
    Map<Parameter, float[]> told = new HashMap<>();
    List<Parameter> order = new ArrayList<>();
    tape.whenComplete(
        parameter -> {
          order.add(parameter);
          told.put(parameter, parameter.grad().data().clone());
        });
    for (int step = 1; step <= 2; step++) {
      Tensor x = Tensor.of(gaussian(8, WIDTH));
      // One model used twice: its gradients are whole after both.
      Tensor y = twice.forward(tape, twice.forward(tape, x, sequences), sequences);
      tape.backward(head.forward(tape, y), gaussian(8, 3));
      tape.reset();
      List<Parameter> learning = new ArrayList<>(head.parameters());
      twice.parameters().stream().filter(p -> !p.frozen()).forEach(learning::add);
      assertThat(order).containsExactlyInAnyOrderElementsOf(learning);
      assertThat(order.subList(0, 2)).containsExactlyInAnyOrderElementsOf(head.parameters());
      told.forEach((parameter, g) -> assertThat(g).isEqualTo(parameter.grad().data()));
      assertThat(told).doesNotContainKey(unused.parameters().getFirst());
      order.clear();
    }
  }

  /** A layer of three results, told of after the last; one that nothing leads to is not. */
  @Test
  void gradientsAreCompleteAfterTheLastWayBackThatAddsToThem() {
    Linear shared = new Linear("shared", WIDTH, WIDTH, Precision.FLOAT32, new CounterRandom(1));
    Linear head = new Linear("head", WIDTH, WIDTH, Precision.FLOAT32, new CounterRandom(2));
    Linear aside = new Linear("aside", WIDTH, WIDTH, Precision.FLOAT32, new CounterRandom(3));
    Tape tape = Tape.recording(kernels);
    List<String> told = new ArrayList<>();
    tape.whenComplete(parameter -> told.add(parameter.name()));
    FloatMatrix x = gaussian(8, WIDTH);
    FloatMatrix g = gaussian(8, WIDTH);
    for (int step = 0; step < 2; step++) {
      Tensor one = shared.forward(tape, Tensor.of(x));
      Tensor two = head.forward(tape, shared.forward(tape, Tensor.of(x)));
      Tensor three = shared.forward(tape, Tensor.of(x));
      aside.forward(tape, Tensor.of(x));
      tape.backward(two, g);
      assertThat(told).containsExactly("head.bias", "head.weight");
      tape.backward(three, g);
      assertThat(told).hasSize(2);
      tape.backward(one, g);
      assertThat(told).containsExactly("head.bias", "head.weight", "shared.bias", "shared.weight");
      told.clear();
      tape.reset();
    }
  }

  private static FloatMatrix gaussian(int rows, int cols) {
    FloatMatrix x = FloatMatrix.allocate(rows, cols);
    long key = new CounterRandom(5).key(cols);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = CounterRandom.gaussian(key, i);
    }
    return x;
  }
}
