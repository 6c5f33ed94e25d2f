package dev.switchyard.kernels;

import dev.switchyard.kernels.RowOperation.Inputs;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;

/**
 * A main class: runs each row operation of the vector backend until it is compiled, and compares
 * each result with the first, which was interpreted if the JVM is fresh.
 */
final class CompilerIndependence {
  static final String PASSED = "all results the same";

  private static final int CALLS = 6000;

  private CompilerIndependence() {}

  public static void main(String[] args) {
    for (RowOperation op : RowOperation.values()) {
      Inputs in = Inputs.of(Matrices.gaussian(3, 75, 1), Matrices.gaussian(3, 75, 2), 0.37f);
      Result first = Result.of(op, in);
      for (int i = 0; i < CALLS; i++) {
        first.assertSame(Result.of(op, in), op + " after " + i + " calls");
      }
    }
    float[] x = x(75);
    double squares = squares(x);
    double rms = rms(x);
    for (int i = 0; i < CALLS; i++) {
      if (squares(x) != squares || rms(x) != rms) {
        throw new AssertionError("another sum after " + i + " calls");
      }
    }
    System.out.println(PASSED);
  }

  private static float[] x(int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = CounterRandom.gaussian(3, i);
    }
    return x;
  }

  private static double squares(float[] x) {
    return Setup.serial("vector").elementwise().sumOfSquares(x, 75);
  }

  private static double rms(float[] x) {
    float[] m = new float[75];
    float[] v = new float[75];
    Elementwise ops = Setup.serial("vector").elementwise();
    ops.stableAdamWMoments(x, m, v, 75, 1, 0.9f, 0.99f, 1);
    return ops.stableAdamWMoments(x, m, v, 75, 2, 0.9f, 0.99f, 1);
  }

  /** A result, with the statistics or normalizers that the operation may have written. */
  private record Result(FloatMatrix out, Inputs inputs) {
    static Result of(RowOperation op, Inputs in) {
      Inputs inputs = in.copy();
      FloatMatrix out = Matrices.blank(in.x().rows(), in.x().cols(), 4);
      op.run(Setup.serial("vector").elementwise(), inputs, out);
      return new Result(out, inputs);
    }

    void assertSame(Result other, String what) {
      Matrices.assertSameBits(other.out, out, what);
      if (!Arrays.equals(other.inputs.stats(), inputs.stats())
          || !Arrays.equals(other.inputs.computedNormalizers(), inputs.computedNormalizers())) {
        throw new AssertionError(what + ": other statistics");
      }
    }
  }
}
