package dev.switchyard.kernels;

import dev.switchyard.kernels.Matrices.Values;
import dev.switchyard.kernels.ProductCase.Kind;
import dev.switchyard.kernels.ProductCase.Shape;
import dev.switchyard.kernels.RowOperation.Inputs;
import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.Float8Rounding;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;

/**
 * A main class for JVMs with other flags: a few checks of everything on the backend that is chosen
 * there. Makes kernels twice, so that a second warning would be seen. Ends with 0 and prints {@link
 * #PASSED} and the backend, or throws.
 */
final class Battery {
  static final String PASSED = "all passed on ";

  private Battery() {}

  public static void main(String[] args) {
    Kernels kernels = Kernels.create(Parallel.ofThreads(2));
    products(kernels);
    quantizers(kernels);
    float8(kernels);
    elementwise(Kernels.create(Parallel.serial()));
    System.out.println(PASSED + BackendChoice.automatic().reason());
  }

  private static void products(Kernels kernels) {
    Shape[] shapes = {
      new Shape(1, 1, 1), new Shape(13, 9, 5), new Shape(25, 33, 37), new Shape(3, 5, 1041)
    };
    PackedMatrix buffer = new PackedMatrix();
    for (Kind kind : Kind.values()) {
      for (Form form : Form.values()) {
        for (int i = 0; i < shapes.length; i++) {
          ProductCase.random(kind, form, shapes[i], 5L * i, Values.INTEGERS).check(kernels, buffer);
        }
      }
      // Enough work for several tasks.
      ProductCase.random(kind, Form.NT, new Shape(130, 129, 131), 1).check(kernels, buffer);
    }
  }

  private static void quantizers(Kernels kernels) {
    Kernels reference = Setup.serial("reference");
    for (Scaling scaling : Scaling.values()) {
      for (Rounding rounding : new Rounding[] {Rounding.NEAREST_EVEN, Rounding.stochastic(3)}) {
        for (int cols : new int[] {1, 4, 15, 33, 130, 3001}) {
          FloatMatrix x = Matrices.gaussian(17, cols, cols);
          QuantizedMatrix actual = new QuantizedMatrix(scaling);
          QuantizedMatrix expected = new QuantizedMatrix(scaling);
          kernels.quantize(x, rounding, NonFinitePolicy.REJECT, actual);
          reference.quantize(x, rounding, NonFinitePolicy.REJECT, expected);
          Matrices.assertSame(actual, expected, scaling + " " + rounding);

          FloatMatrix restored = Matrices.blank(17, cols, 1);
          kernels.dequantize(actual, restored);
          Matrices.assertClose(
              restored,
              (i, j) -> expected.scale(i, j) * expected.get(i, j),
              Matrices.Cell.ZERO,
              "dequantized");
        }
      }
    }
  }

  private static void float8(Kernels kernels) {
    Kernels reference = Setup.serial("reference");
    for (Float8Format format : Float8Format.values()) {
      for (Float8Rounding rounding : Float8Test.roundings(format)) {
        FloatMatrix x = Matrices.gaussian(17, 130, 1);
        FloatMatrix actual = Matrices.blank(17, 130, 2);
        FloatMatrix expected = Matrices.blank(17, 130, 3);
        kernels.roundToFloat8(x, rounding, NonFinitePolicy.REJECT, actual);
        reference.roundToFloat8(x, rounding, NonFinitePolicy.REJECT, expected);
        Matrices.assertSameBits(actual, expected, rounding.toString());
      }
    }
  }

  private static void elementwise(Kernels kernels) {
    for (RowOperation op : RowOperation.values()) {
      for (int cols : new int[] {1, 7, 37}) {
        FloatMatrix x = Matrices.gaussian(2, cols, cols);
        ElementwiseTest.check(
            kernels.elementwise(), op, Inputs.of(x, Matrices.gaussian(2, cols, 1), 0.37f));
      }
    }
  }
}
