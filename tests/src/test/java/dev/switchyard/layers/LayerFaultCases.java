package dev.switchyard.layers;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.StableAdamW;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Steps of training in every precision. A caller that catches an error sets the gradients to zero,
 * resets the tape and goes on: the next step is bit for bit the one that failed, or the one after
 * it, or it is refused.
 */
public final class LayerFaultCases implements FaultCases {
  private static final int WIDTH = 8;

  private final Kernels kernels = Fixtures.kernels("vector", 1);

  @Override
  public Map<String, FaultCase> cases() {
    Map<String, FaultCase> cases = new LinkedHashMap<>();
    for (Precision precision : Precision.values()) {
      for (boolean stable : new boolean[] {false, true}) {
        List<float[]> begun = new Training(precision, stable).weights();
        Training right = new Training(precision, stable);
        right.step();
        List<float[]> once = right.weights();
        right.step();
        List<List<float[]>> steps = List.of(begun, once, right.weights());
        String name = "a step in " + precision + (stable ? " of StableAdamW" : " of AdamW");
        cases.put(name, () -> new Step(new Training(precision, stable), steps));
      }
    }
    return cases;
  }

  private static boolean same(List<float[]> a, List<float[]> b) {
    for (int i = 0; i < a.size(); i++) {
      if (!Arrays.equals(a.get(i), b.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** Embeddings of patches go through a block and are scored. */
  private final class Training {
    final Tape tape = Tape.recording(kernels);
    final Optimizer optimizer;
    final List<Parameter> parameters;
    private final Sequences sequences = Sequences.ofLengths(3, 1);
    private final FloatMatrix x = Fixtures.gaussian(4, WIDTH, 2);
    private final int[] labels = {2, 0};
    private final Linear below;
    private final TransformerBlock block;
    private final SequenceHead head;

    Training(Precision precision, boolean stable) {
      CounterRandom random = new CounterRandom(4);
      below = new Linear("below", WIDTH, WIDTH, precision, random.split(1));
      block = new TransformerBlock("block", WIDTH, 2, WIDTH, precision, random.split(2));
      head = SequenceHead.scores("head", WIDTH, 3, Pooling.MEAN, random.split(3));
      parameters = Model.concat(below.parameters(), block.parameters(), head.parameters());
      optimizer =
          stable
              ? new StableAdamW(kernels, parameters, StableAdamW.Settings.DEFAULT)
              : new AdamW(kernels, parameters, AdamW.Settings.DEFAULT);
    }

    void step() {
      Tensor y = block.forward(tape, below.forward(tape, Tensor.of(x)), sequences);
      Tensor scores = head.forward(tape, y, sequences);
      tape.backward(new CrossEntropy().forward(tape, scores, labels));
      optimizer.step(1e-2f);
      abandon();
    }

    void abandon() {
      optimizer.zeroGrad();
      tape.reset();
    }

    List<float[]> weights() {
      return parameters.stream().map(p -> p.value().data().clone()).toList();
    }
  }

  private record Step(Training training, List<List<float[]>> steps) implements FaultCase.Run {
    @Override
    public void operate() {
      training.step();
    }

    @Override
    public String check(boolean failed) {
      List<float[]> left = training.weights();
      int done = same(left, steps.get(0)) ? 0 : same(left, steps.get(1)) ? 1 : -1;
      training.abandon();
      try {
        training.step();
      } catch (IllegalStateException e) {
        // An optimizer that had begun may not know that no weight has changed yet.
        boolean halfWay = done != 0 || e.getMessage().contains("has failed half-way");
        return failed && halfWay ? null : "refuses the next step: " + e.getMessage();
      }
      if (done < 0) {
        return "goes on with weights of which some have made a step";
      }
      return same(training.weights(), steps.get(done + 1))
          ? null
          : "the step after " + done + " gives other weights";
    }
  }
}
