package dev.switchyard.layers.optim;

import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import java.util.List;
import java.util.Map;

/**
 * Updates parameters from their gradients. Frozen parameters are left alone, and count no steps
 * while they are. For use by one thread; the kernels may use more.
 */
public interface Optimizer {
  /**
   * What the moments are of: a checkpoint goes on with the same algorithm alone.
   *
   * @return its name, such as {@code AdamW}
   */
  String algorithm();

  /**
   * Updates all parameters.
   *
   * @param learningRate lr, 0 or more; a group multiplies it with its factor
   * @throws IllegalArgumentException if it is negative or not finite
   * @throws NonFiniteException if a gradient is not finite, see {@link FiniteGradients}, and the
   *     policy of the optimizer's kernels is {@link NonFinitePolicy#REJECT}; no parameter is
   *     changed then. Where it is {@link NonFinitePolicy#PROPAGATE}, the update of that parameter
   *     alone is skipped, its moments and its count of steps included, as the authors of SwitchBack
   *     do under float16
   * @throws IllegalStateException if a step has failed half-way, by any other exception or an
   *     error: some parameters are updated then, and others are not. {@link #restore} ends that
   */
  void step(float learningRate);

  /** Sets the gradients of all parameters to zero. */
  void zeroGrad();

  /**
   * How often the update of a parameter was skipped because its gradient was not finite.
   *
   * @return counts by the parameter's name, for those that were skipped at all
   */
  Map<String, Long> skipped();

  /**
   * What has to be kept so that another optimizer over the same parameters goes on from here.
   *
   * @return a copy of the moments and steps of each parameter that was ever updated
   * @throws IllegalStateException if a step has failed half-way
   */
  List<MomentState> state();

  /**
   * Goes on from a state.
   *
   * @param states what {@link #state()} gave
   * @throws IllegalArgumentException if a state has no parameter of its name and size, or the same
   *     as another, or a number that no optimizer has (a step below 1, a moment that is not finite,
   *     a second one below 0); nothing is changed then
   */
  void restore(List<MomentState> states);

  /**
   * Watches the updates from the next step on.
   *
   * @param monitor told of each update, or null for none, which costs nothing
   */
  void setMonitor(StabilityMonitor monitor);
}
