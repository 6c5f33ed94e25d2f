package dev.switchyard.bench.soak;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A model in training beside two others of the same state: one on the same backend and a single
 * thread, which has to compute the same bits; and one on the reference backend, which takes over
 * the state before each step, so that differences do not add up.
 *
 * <p>With the reference, all results are compared where a small difference stays one, which is in
 * {@link Precision#FLOAT32} and as long as routers choose the same tokens. In other precisions it
 * can round to another level; there, as everywhere, {@link LinearLayers} are compared one by one.
 */
final class ReferenceCheck {
  /** Of the size of a result: float sums in another order. */
  private static final double TOLERANCE = 1e-4;

  private static final double UPDATE_TOLERANCE = 1e-5;

  private final SoakCase drawn;
  private final Kernels ours;
  private final Kernels plain = Kernels.create(BackendChoice.named("reference"), Parallel.serial());
  private final Trainee trainee;
  private final Trainee serial;
  private final Trainee reference;
  private final LinearLayers layers;

  ReferenceCheck(SoakCase drawn, Kernels kernels) {
    this.drawn = drawn;
    ours = kernels;
    trainee = new Trainee(drawn, kernels);
    serial = new Trainee(drawn, kernels.serial());
    reference = new Trainee(drawn, plain);
    layers = new LinearLayers(trainee.linears());
    trainee.watch(layers);
  }

  /** The steps of the case. */
  void run() throws WrongResult {
    for (int step = 0; step < drawn.steps(); step++) {
      step();
    }
  }

  private void step() throws WrongResult {
    reference.restore(trainee.checkpoint());
    String when = "step " + trainee.steps();
    Map<String, FloatMatrix> results = trainee.forwardAndBackward();
    Map<String, FloatMatrix> expected = reference.forwardAndBackward();
    Results.requireSame(when + ", beside one thread", serial.forwardAndBackward(), results);
    if (drawn.precision() == Precision.FLOAT32
        && Arrays.equals(chosen(results), chosen(expected))) {
      Results.requireClose(when + ", beside the reference", TOLERANCE, expected, results);
    }
    layers.check(reference.linears(), plain, ours);
    update(when);
  }

  private static float[] chosen(Map<String, FloatMatrix> results) {
    return results.get(Trainee.CHOSEN).data();
  }

  /** With our gradients, also in the reference: an update may hang on the sign of a tiny one. */
  private void update(String when) throws WrongResult {
    List<Parameter> from = trainee.parameters();
    for (int i = 0; i < from.size(); i++) {
      from.get(i).grad().copyTo(reference.parameters().get(i).grad());
    }
    trainee.update();
    serial.update();
    reference.update();
    Map<String, FloatMatrix> state = trainee.state();
    Results.requireSame(when + ", updated beside one thread", serial.state(), state);
    Results.requireClose(
        when + ", updated beside the reference", UPDATE_TOLERANCE, reference.state(), state);
  }
}
