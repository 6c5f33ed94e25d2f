package dev.switchyard.layers.optim;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.layers.Parameter;
import java.util.List;
import java.util.Locale;

/**
 * Gradients that an optimizer can step with: no element is infinite or NaN, and the sum of their
 * squares is within float32 (a norm below 1.8e19), since moments are means of squares.
 */
public final class FiniteGradients {
  private FiniteGradients() {}

  /**
   * Checks the gradients of parameters; those of frozen ones do not count.
   *
   * @param kernels what computes
   * @param parameters whose gradients to check
   * @throws NonFiniteException if one cannot be stepped with, with its largest element
   */
  public static void require(Kernels kernels, List<Parameter> parameters) {
    for (Parameter parameter : parameters) {
      if (!parameter.frozen() && !isFinite(kernels, parameter)) {
        throw new NonFiniteException(sentence(parameter));
      }
    }
  }

  static boolean isFinite(Kernels kernels, Parameter parameter) {
    float[] g = parameter.grad().data();
    return kernels.elementwise().sumOfSquares(g, g.length) <= Float.MAX_VALUE;
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
        "element (%d, %d) of the gradient of %s is %s (expected finite numbers, the sum of whose"
            + " squares is within float32)",
        worst / cols,
        worst % cols,
        parameter,
        g[worst]);
  }
}
