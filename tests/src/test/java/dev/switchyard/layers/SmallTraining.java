package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.io.Weights;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.Optimizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;

/** A training of so few numbers that errors can be injected everywhere in a step. */
public class SmallTraining {
  protected final Tape tape;
  protected final List<Parameter> parameters;
  protected final Optimizer optimizer;
  private final Function<Tape, Tensor> loss;
  private final Map<String, FloatMatrix> begun = new HashMap<>();

  /**
   * A training at its first step.
   *
   * @param tape what computes
   * @param parameters what learns, and what is frozen
   * @param loss computes the loss of the one batch that there is
   * @param optimizer makes the optimizer
   */
  public SmallTraining(
      Tape tape,
      List<Parameter> parameters,
      Function<Tape, Tensor> loss,
      BiFunction<Kernels, List<Parameter>, Optimizer> optimizer) {
    this.tape = tape;
    this.parameters = parameters;
    this.loss = loss;
    this.optimizer = optimizer.apply(tape.kernels(), parameters);
    parameters.forEach(p -> begun.put(p.name(), p.value().copy()));
  }

  /** One that is optimized by AdamW. */
  public SmallTraining(Tape tape, List<Parameter> parameters, Function<Tape, Tensor> loss) {
    this(tape, parameters, loss, (kernels, all) -> new AdamW(kernels, all, AdamW.Settings.DEFAULT));
  }

  /** A whole step. */
  public final void step() {
    goBack();
    update();
    abandon();
  }

  /** Computes gradients. */
  protected void goBack() {
    tape.backward(loss.apply(tape));
  }

  /** Updates weights. */
  protected void update() {
    optimizer.step(1e-2f);
  }

  /** Ends a step, whatever became of it. */
  public void abandon() {
    optimizer.zeroGrad();
    tape.reset();
  }

  /** Goes on from the weights of the beginning, and from no moments. */
  public void restore() {
    Weights.load(begun, parameters, () -> optimizer.restore(List.of()));
  }

  /** The weights as they are. */
  public Object weights() {
    return parameters.stream().map(p -> p.value().data().clone()).toArray();
  }

  /** Whatever else is wrong, or null. */
  public String complaint() {
    return null;
  }
}
