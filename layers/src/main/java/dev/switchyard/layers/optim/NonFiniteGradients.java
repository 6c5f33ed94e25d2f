package dev.switchyard.layers.optim;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Parameter;
import java.util.List;
import java.util.Locale;

/**
 * What an optimizer does about a gradient that is infinite or NaN, or so large (from about 10^17
 * on) that its square is. It is never silent: {@link Optimizer#skipped()} counts what was skipped.
 */
public enum NonFiniteGradients {
  /** Refuse the step before any parameter is changed. */
  STOP,

  /**
   * Skip the update of that parameter alone, its moments and its count of steps included, as the
   * authors of SwitchBack do under float16.
   */
  SKIP;

  /**
   * Refuses gradients that are not finite, as {@link #STOP} does. Frozen parameters do not take
   * part.
   *
   * @param kernels what computes
   * @param parameters whose gradients to check
   * @throws ArithmeticException if one is not, with its largest element
   */
  public static void refuse(Kernels kernels, List<Parameter> parameters) {
    for (Parameter parameter : parameters) {
      if (!parameter.frozen() && !isFinite(kernels, parameter)) {
        throw new ArithmeticException(sentence(parameter));
      }
    }
  }

  static boolean isFinite(Kernels kernels, Parameter parameter) {
    float[] g = parameter.grad().data();
    return Double.isFinite(kernels.elementwise().sumOfSquares(g, g.length));
  }

  private static String sentence(Parameter parameter) {
    float[] g = parameter.grad().data();
    int worst = 0;
    for (int i = 0; i < g.length && Float.isFinite(g[worst]); i++) {
      worst = Math.abs(g[i]) <= Math.abs(g[worst]) ? worst : i; // NaN compares as larger
    }
    int cols = parameter.grad().cols();
    return String.format(
        Locale.ROOT,
        "element (%d, %d) of the gradient of %s is %s (expected a finite number whose square is"
            + " finite)",
        worst / cols,
        worst % cols,
        parameter,
        g[worst]);
  }
}
