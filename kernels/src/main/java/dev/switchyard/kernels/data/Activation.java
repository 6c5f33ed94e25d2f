package dev.switchyard.kernels.data;

/**
 * A function of one number, and its slope; in double precision the formulas by which faster ones
 * are judged.
 */
public enum Activation {
  /** {@code max(x, 0)} (Nair and Hinton 2010); its slope at 0 is 0. */
  RELU {
    @Override
    public double value(double x) {
      return Math.max(x, 0);
    }

    @Override
    public double slope(double x) {
      return Double.isNaN(x) ? x : x <= 0 ? 0 : 1;
    }
  },

  /** {@code x s(x)} with {@code s(x) = 1 / (1 + e^-x)} (Elfwing et al. 2018). */
  SILU {
    @Override
    public double value(double x) {
      return x * sigmoid(x);
    }

    @Override
    public double slope(double x) {
      return sigmoid(x) * (1 + x * sigmoid(-x));
    }
  },

  /** The hyperbolic tangent; its slope is {@code 1 / cosh(x)^2}. */
  TANH {
    @Override
    public double value(double x) {
      return Math.tanh(x);
    }

    @Override
    public double slope(double x) {
      return 1 / (Math.cosh(x) * Math.cosh(x));
    }
  },

  /** {@code log(1 + e^x)} (Dugas et al. 2001). */
  SOFTPLUS {
    @Override
    public double value(double x) {
      return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    @Override
    public double slope(double x) {
      return sigmoid(x);
    }
  };

  /**
   * The function.
   *
   * @param x any number
   * @return f(x)
   */
  public abstract double value(double x);

  /**
   * Its derivative.
   *
   * @param x any number
   * @return f'(x)
   */
  public abstract double slope(double x);

  /** Without an overflow, and near 0 without a difference from 1. */
  private static double sigmoid(double x) {
    double e = Math.exp(-Math.abs(x));
    return (x >= 0 ? 1 : e) / (1 + e);
  }
}
