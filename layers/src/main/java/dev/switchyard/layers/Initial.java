package dev.switchyard.layers;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;

/** Initial values of parameters; the same for the same generator. */
public final class Initial {
  private Initial() {}

  /**
   * Uniform in +-sqrt(6 / (rows + cols)) (Glorot and Bengio 2010, equation 16), which keeps the
   * variance of activations and of gradients about equal from layer to layer.
   *
   * @param rows outputs of a layer
   * @param cols inputs of a layer
   * @param random a generator for these values alone
   * @return a new matrix
   */
  public static FloatMatrix glorot(int rows, int cols, CounterRandom random) {
    float limit = (float) Math.sqrt(6.0 / ((double) rows + cols));
    FloatMatrix w = FloatMatrix.allocate(rows, cols);
    long key = random.key(0);
    for (int i = 0; i < w.data().length; i++) {
      w.data()[i] = limit * (2 * CounterRandom.uniform(key, i) - 1);
    }
    return w;
  }

  /**
   * Normal with mean 0.
   *
   * @param rows of the matrix
   * @param cols of the matrix
   * @param deviation the standard deviation
   * @param random a generator for these values alone
   * @return a new matrix
   */
  public static FloatMatrix normal(int rows, int cols, float deviation, CounterRandom random) {
    FloatMatrix w = FloatMatrix.allocate(rows, cols);
    long key = random.key(0);
    for (int i = 0; i < w.data().length; i++) {
      w.data()[i] = deviation * CounterRandom.gaussian(key, i);
    }
    return w;
  }
}
