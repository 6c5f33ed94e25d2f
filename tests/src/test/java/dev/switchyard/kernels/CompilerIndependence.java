package dev.switchyard.kernels;

import dev.switchyard.kernels.RowOperation.Inputs;
import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;

/**
 * Runs each element-wise operation of the vector backend until it is compiled, and compares each
 * result with the first, which was interpreted: to be run in a fresh JVM.
 */
final class CompilerIndependence {
  static final String PASSED = "results compared: ";

  private static final int REPEATS = 6000;

  private CompilerIndependence() {}

  public static void main(String[] args) {
    Elementwise elementwise = Setup.serial("vector").elementwise();
    int compared = 0;
    for (RowOperation op : RowOperation.values()) {
      Inputs in = Inputs.of(Matrices.gaussian(3, 75, 1), Matrices.gaussian(3, 75, 2), 0.37f);
      FloatMatrix first = Matrices.blank(3, 75, 4);
      Inputs firstIn = in.copy();
      op.run(elementwise, firstIn, first);
      for (int i = 0; i < REPEATS; i++) {
        FloatMatrix out = Matrices.blank(3, 75, 4);
        Inputs outIn = in.copy();
        op.run(elementwise, outIn, out);
        Matrices.assertSameBits(out, first, op + " after " + i + " calls");
        if (!Arrays.equals(outIn.stats(), firstIn.stats())
            || !Arrays.equals(outIn.computedLse(), firstIn.computedLse())) {
          throw new AssertionError(op + " after " + i + " calls");
        }
        compared++;
      }
    }
    System.out.println(PASSED + compared);
  }
}
