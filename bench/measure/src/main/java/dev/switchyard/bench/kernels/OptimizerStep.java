package dev.switchyard.bench.kernels;

import dev.switchyard.bench.peers.TorchAdamW;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.StableAdamW;
import java.util.List;
import java.util.function.Supplier;

/** A step of an optimizer over one matrix of parameters. */
final class OptimizerStep {
  /** Small, so that the parameters stay what they are, however often it is called. */
  private static final float RATE = 1e-6f;

  private static final int CHECKED_STEPS = 3;
  private static final float CHECKED_RATE = 1e-3f;

  private OptimizerStep() {}

  /**
   * The step of a contestant; PyTorch's after a check that it does as ours.
   *
   * @param shape such as {@code 1000x1000}
   */
  static Supplier<?> named(String contestant, String shape, Kernels kernels) {
    int[] sizes = Operands.sizes(shape);
    if (contestant.equals("COPY OF AS MANY BYTES")) {
      byte[] from = new byte[sizes[0] * sizes[1] / 2 * 7 * Float.BYTES];
      byte[] to = new byte[from.length];
      return () -> {
        System.arraycopy(from, 0, to, 0, from.length);
        return to;
      };
    }
    Parameter parameter = new Parameter("weight", Operands.uniform(sizes[0], sizes[1], 1), true);
    Operands.uniform(sizes[0], sizes[1], 2).copyTo(parameter.grad());
    AdamW adamW = new AdamW(kernels, List.of(parameter), AdamW.Settings.DEFAULT);
    return switch (contestant) {
      case "ADAMW" -> step(adamW);
      case "STABLE_ADAMW" ->
          step(new StableAdamW(kernels, List.of(parameter), StableAdamW.Settings.DEFAULT));
      case "pytorch ADAMW" -> peer(parameter, adamW, kernels.parallel().threads());
      default -> throw new IllegalArgumentException("there is no optimizer " + contestant);
    };
  }

  private static Supplier<?> step(Optimizer optimizer) {
    return () -> {
      optimizer.step(RATE);
      return optimizer;
    };
  }

  private static Supplier<?> peer(Parameter parameter, AdamW ours, int threads) {
    TorchAdamW peer = new TorchAdamW(List.of(parameter), AdamW.Settings.DEFAULT, threads);
    for (int i = 0; i < CHECKED_STEPS; i++) {
      ours.step(CHECKED_RATE);
      peer.step(CHECKED_RATE);
    }
    FloatMatrix expected = parameter.value();
    Operands.checkEqual(
        "pytorch ADAMW",
        peer.values(0),
        expected.data(),
        Operands.tolerance(ElementType.FLOAT32, 1));
    return () -> {
      peer.step(RATE);
      return peer;
    };
  }
}
