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
import dev.switchyard.kernels.stack.StackProbe;

/** The first calls after kernels were made, for a JVM that logs which classes it initializes. */
public final class FirstUse {
  static final String REFUSED = "kernels were refused";
  static final String CREATED = "kernels were created";
  static final String USED = "kernels were used";

  /** In how many calls on the way up from the end of the stack kernels are asked for. */
  private static final int CALLS = 200;

  private FirstUse() {}

  /** Asks for kernels where there is no room, then where there is, and uses them. */
  public static void main(String[] arguments) throws Exception {
    FirstUse.class.getClassLoader().getResource("none"); // what the JDK needs to find classes
    StackProbe.hasRoomForOthers();
    Thread thread = new Thread(null, () -> createAtTheEnd(new int[1]), "small stack", 256 << 10);
    thread.start();
    thread.join();
    System.out.println(REFUSED);
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

  @SuppressWarnings("InfiniteRecursion") // ends where the stack does
  private static void createAtTheEnd(int[] calls) {
    try {
      createAtTheEnd(calls);
    } catch (StackOverflowError e) {
      // from here on upwards
    }
    for (int i = 0; calls[0] < CALLS && i < 3; i++) {
      try {
        if (i == 0) {
          Parallel.ofThreads(2);
        } else if (i == 1) {
          BackendChoice.automatic();
        } else {
          BackendChoice.named("x86");
        }
      } catch (StackOverflowError e) {
        // as it should be
      }
    }
    calls[0]++;
  }
}
