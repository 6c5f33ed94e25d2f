package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import java.util.EnumSet;
import java.util.Set;

/**
 * A library of matrices in plain Java, on arrays: the floor that any other has to be above. None
 * knows a bias, which is added in a second pass.
 */
final class PureJava implements Peer {
  private final Library library;

  /** What such a library offers. */
  interface Library {
    String name();

    String description();

    /**
     * Prepares C = A B, A or B transposed as the form says, on dense rows.
     *
     * @param m rows of C
     * @param n columns of C
     * @param k length of its sums
     */
    Runnable product(Form form, int m, int n, int k, float[] a, float[] b, float[] c);
  }

  PureJava(Library library) {
    this.library = library;
  }

  @Override
  public String name() {
    return library.name();
  }

  @Override
  public String description() {
    return library.description();
  }

  @Override
  public Set<ElementType> types() {
    return EnumSet.of(ElementType.FLOAT32);
  }

  @Override
  public PeerProduct product(ElementType type, Matrix x, Matrix w, float[] bias) {
    int m = x.rows();
    int n = w.rows();
    float[] y = new float[m * n];
    Runnable product = library.product(Form.NT, m, n, x.cols(), dense(x), dense(w), y);
    return new PeerProduct() {
      @Override
      public void run() {
        product.run();
        addToRows(bias, y);
      }

      @Override
      public float[] result() {
        return y.clone();
      }
    };
  }

  @Override
  public LinearStep step(ElementType type, LinearOperands operands, Profile profile) {
    int rows = operands.rows();
    int in = operands.in();
    int out = operands.out();
    float[] x = dense(operands.x());
    float[] w = dense(operands.w());
    float[] g = dense(operands.g());
    float[] y = new float[rows * out];
    float[] gx = new float[rows * in];
    float[] gw = new float[out * in];
    float[] gb = new float[out];
    Runnable forward = library.product(Form.NT, rows, out, in, x, w, y);
    Runnable backward = library.product(Form.NN, rows, in, out, g, w, gx);
    Runnable weightGradient = library.product(Form.TN, out, in, rows, g, x, gw);
    return new LinearStep() {
      @Override
      public void run() {
        profile.measure(Part.MULTIPLY, forward);
        addToRows(operands.bias(), y);
        profile.measure(Part.MULTIPLY, backward);
        profile.measure(Part.WEIGHT_GRADIENT, weightGradient);
        sumRows(g, gb);
      }

      @Override
      public Result result() {
        return new Result(y.clone(), gx.clone(), gw.clone(), gb.clone());
      }
    };
  }

  private static float[] dense(Matrix matrix) {
    return switch (matrix) {
      case FloatMatrix floats -> floats.copy().data();
      case Bfloat16Matrix _, QuantizedMatrix _ ->
          throw new IllegalArgumentException("a library in plain Java has products of floats only");
    };
  }

  private static void addToRows(float[] row, float[] matrix) {
    for (int at = 0; at < matrix.length; at += row.length) {
      for (int j = 0; j < row.length; j++) {
        matrix[at + j] += row[j];
      }
    }
  }

  private static void sumRows(float[] matrix, float[] sums) {
    System.arraycopy(matrix, 0, sums, 0, sums.length);
    for (int at = sums.length; at < matrix.length; at += sums.length) {
      for (int j = 0; j < sums.length; j++) {
        sums[j] += matrix[at + j];
      }
    }
  }
}
