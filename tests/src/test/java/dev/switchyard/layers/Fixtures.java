package dev.switchyard.layers;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.List;

/** Kernels and seeded values for the tests of layers. */
public final class Fixtures {
  public static final CounterRandom RANDOM = new CounterRandom(7);

  private Fixtures() {}

  public static Kernels kernels(String backend, int threads) {
    return Kernels.create(BackendChoice.named(backend), Parallel.ofThreads(threads));
  }

  public static Kernels reference() {
    return kernels("reference", 1);
  }

  public static FloatMatrix gaussian(int rows, int cols, long seed) {
    return Initial.normal(rows, cols, 1, new CounterRandom(seed));
  }

  /** Changes all parameters, so that none sits at a special value such as 0 or 1. */
  public static void disturb(List<Parameter> parameters, float by) {
    long seed = 1000;
    for (Parameter parameter : parameters) {
      float[] noise = gaussian(1, parameter.value().data().length, seed++).data();
      for (int i = 0; i < noise.length; i++) {
        parameter.value().data()[i] += by * noise[i];
      }
      parameter.markChanged();
    }
  }

  /** The elements of a matrix, row by row. */
  public static float[] values(FloatMatrix m) {
    return m.copy().data();
  }
}
