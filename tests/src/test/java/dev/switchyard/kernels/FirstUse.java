package dev.switchyard.kernels;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;

/** The first calls after kernels were made, for a JVM that logs which classes it initializes. */
public final class FirstUse {
  static final String CREATED = "kernels were created";
  static final String USED = "kernels were used";

  private FirstUse() {}

  /** Creates kernels of a backend and uses them. */
  public static void main(String[] arguments) {
    Rounding stochastic = Rounding.stochastic(3);
    Kernels kernels = Kernels.create(Parallel.ofThreads(2));
    System.out.println(CREATED);
    FloatMatrix x = FloatMatrix.allocate(70, 70);
    FloatMatrix y = FloatMatrix.allocate(70, 70);
    for (Scaling scaling : Scaling.values()) {
      QuantizedMatrix q = new QuantizedMatrix(scaling);
      kernels.quantize(x, q);
      kernels.quantize(x, stochastic, NonFinitePolicy.PROPAGATE, q);
      kernels.dequantize(q, y);
    }
    QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
    kernels.quantize(x, q);
    for (ElementType type : ElementType.values()) {
      for (Form form : Form.values()) {
        boolean int8 = type == ElementType.INT8;
        kernels.multiply(type, form, int8 ? q : x, int8 ? q : x, Epilogue.STORE, y);
      }
    }
    kernels.elementwise().gelu(x, y);
    kernels.elementwise().dropout(x, 0.5f, 1, y);
    kernels.elementwise().softmax(x, 1, new float[2 * 70], 0);
    kernels.elementwise().sumOfSquares(x.data(), 70);
    FloatMatrix shared = FloatMatrix.allocate(2, 1 << 15); // worth two threads
    kernels.elementwise().add(shared, shared, shared);
    System.out.println(USED);
  }
}
