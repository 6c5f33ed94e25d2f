package dev.switchyard.layers.optim;

import dev.switchyard.kernels.Elementwise;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Parameter;
import java.util.List;

/** Clipping of gradients by their norm over all parameters (Pascanu et al. 2013, algorithm 1). */
public final class GradientClipping {
  private GradientClipping() {}

  /**
   * Scales all gradients by {@code maxNorm / norm} if their norm is larger; frozen parameters do
   * not take part. A norm that is not finite scales nothing: what to do then is for the optimizer's
   * policy to say.
   *
   * @param kernels what computes
   * @param parameters the parameters of a model
   * @param maxNorm the largest norm, more than 0
   * @return the norm before, added up in double precision, the same for every number of threads
   * @throws IllegalArgumentException if maxNorm is not more than 0 or not finite
   */
  public static double clip(Kernels kernels, List<Parameter> parameters, float maxNorm) {
    Requirement.that("maxNorm", maxNorm, maxNorm > 0 && Float.isFinite(maxNorm), "more than 0");
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
          float[] g = parameter.grad().data();
          elementwise.scale(g, g.length, (float) (maxNorm / norm));
        }
      }
    }
    return norm;
  }
}
