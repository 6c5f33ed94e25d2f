package dev.switchyard.layers.optim;

import dev.switchyard.kernels.Elementwise;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Parameter;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Clipping of gradients by their norm over all parameters (Pascanu et al. 2013, algorithm 1). */
public final class GradientClipping {
  private static final float POWER = 0x1p-60f;

  private GradientClipping() {}

  /**
   * Scales all gradients by {@code maxNorm / norm} if their norm is larger; frozen parameters do
   * not take part. A norm that is not finite scales nothing: what to do then is for the optimizer's
   * policy to say.
   *
   * @param kernels what computes
   * @param parameters the parameters of a model
   * @param maxNorm the largest norm, more than 0
   * @return the norm before, of whatever size the elements are, the same for every number of
   *     threads
   * @throws IllegalArgumentException if maxNorm is not more than 0 or not finite, or a name is
   *     listed twice
   */
  public static double clip(Kernels kernels, List<Parameter> parameters, float maxNorm) {
    Requirement.that("maxNorm", maxNorm, maxNorm > 0 && Float.isFinite(maxNorm), "more than 0");
    Set<String> names = new HashSet<>();
    for (Parameter parameter : parameters) {
      if (!names.add(parameter.name())) {
        throw new IllegalArgumentException(
            "parameter "
                + parameter
                + " is listed twice (expected once: names are unique in a model)");
      }
    }
    Elementwise elementwise = kernels.elementwise();
    double squares = 0;
    for (Parameter parameter : parameters) {
      if (!parameter.frozen()) {
        float[] g = parameter.grad().data();
        squares += elementwise.sumOfSquares(g, g.length);
      }
    }
    double norm = Math.sqrt(squares);
    if (Double.isFinite(norm) && norm > maxNorm) {
      for (Parameter parameter : parameters) {
        if (!parameter.frozen()) {
          scale(elementwise, parameter.grad().data(), maxNorm / norm);
        }
      }
    }
    return norm;
  }

  /** By a factor that may be too small for a float: by powers of two first, which are exact. */
  private static void scale(Elementwise elementwise, float[] g, double factor) {
    double rest = factor;
    for (; rest < Float.MIN_NORMAL; rest /= POWER) {
      elementwise.scale(g, g.length, POWER);
    }
    elementwise.scale(g, g.length, (float) rest);
  }
}
