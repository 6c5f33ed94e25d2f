package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas;

/**
 * OpenBLAS sgemm. BLAS knows no bias: the result is filled with it first, and the product added.
 */
final class OpenBlas implements Peer {
  OpenBlas(int threads) {
    openblas.blas_set_num_threads(threads);
    int actual = openblas.blas_get_num_threads();
    if (actual != threads) {
      throw new IllegalStateException(
          "it was limited to " + threads + " threads but would use " + actual);
    }
  }

  @Override
  public String name() {
    return "openblas";
  }

  @Override
  public String description() {
    return openblas.OPENBLAS_VERSION.strip();
  }

  @Override
  public Set<ElementType> types() {
    return EnumSet.of(ElementType.FLOAT32);
  }

  @Override
  public PeerProduct product(ElementType type, Matrix x, Matrix w, float[] bias) {
    requireFloat32(type);
    int m = x.rows();
    int n = w.rows();
    int k = x.cols();
    FloatPointer a = copyOf(x);
    FloatPointer b = copyOf(w);
    FloatPointer filling = new FloatPointer(Arrays.copyOf(bias, n));
    FloatPointer y = new FloatPointer((long) m * n);
    return new PeerProduct() {
      @Override
      public void run() {
        fillRows(y, filling, m, n);
        multiply(Form.NT, m, n, k, a, b, 1, y);
      }

      @Override
      public float[] result() {
        return NativeCopy.read(y, m * n);
      }
    };
  }

  @Override
  public LinearStep step(ElementType type, LinearOperands operands, Profile profile) {
    requireFloat32(type);
    return new Step(operands, profile);
  }

  private static void requireFloat32(ElementType type) {
    if (type != ElementType.FLOAT32) {
      throw new IllegalArgumentException("OpenBLAS has no product of type " + type);
    }
  }

  private static FloatPointer copyOf(Matrix matrix) {
    FloatPointer copy = new FloatPointer((long) matrix.rows() * matrix.cols());
    NativeCopy.write(matrix, copy);
    return copy;
  }

  /** Writes a row m times, each copy twice as large as the one before. */
  private static void fillRows(FloatPointer matrix, FloatPointer row, int m, int n) {
    Pointer.memcpy(matrix, row, (long) n * Float.BYTES);
    long total = (long) m * n;
    for (long done = n; done < total; done *= 2) {
      Pointer.memcpy(matrix.getPointer(done), matrix, Math.min(done, total - done) * Float.BYTES);
    }
  }

  private static void multiply(
      Form form, int m, int n, int k, FloatPointer a, FloatPointer b, float beta, FloatPointer c) {
    openblas.cblas_sgemm(
        openblas.CblasRowMajor,
        form == Form.TN ? openblas.CblasTrans : openblas.CblasNoTrans,
        form == Form.NT ? openblas.CblasTrans : openblas.CblasNoTrans,
        m,
        n,
        k,
        1,
        a,
        form == Form.TN ? m : k,
        b,
        form == Form.NT ? k : n,
        beta,
        c,
        n);
  }

  /** Three calls of sgemm, and one of sgemv for the column sums of the gradient. */
  private static final class Step implements LinearStep {
    private final Profile profile;
    private final int rows;
    private final int in;
    private final int out;
    private final FloatPointer x;
    private final FloatPointer w;
    private final FloatPointer g;
    private final FloatPointer bias;
    private final FloatPointer ones;
    private final FloatPointer y;
    private final FloatPointer gx;
    private final FloatPointer gw;
    private final FloatPointer gb;

    Step(LinearOperands operands, Profile profile) {
      this.profile = profile;
      rows = operands.rows();
      in = operands.in();
      out = operands.out();
      x = copyOf(operands.x());
      w = copyOf(operands.w());
      g = copyOf(operands.g());
      bias = new FloatPointer(Arrays.copyOf(operands.bias(), out));
      float[] one = new float[rows];
      Arrays.fill(one, 1);
      ones = new FloatPointer(one);
      y = new FloatPointer((long) rows * out);
      gx = new FloatPointer((long) rows * in);
      gw = new FloatPointer((long) out * in);
      gb = new FloatPointer((long) out);
    }

    @Override
    public void run() {
      profile.measure(Part.MULTIPLY, this::forwardAndBackward);
      profile.measure(Part.WEIGHT_GRADIENT, () -> multiply(Form.TN, out, in, rows, g, x, 0, gw));
      openblas.cblas_sgemv(
          openblas.CblasRowMajor, openblas.CblasTrans, rows, out, 1, g, out, ones, 1, 0, gb, 1);
    }

    private void forwardAndBackward() {
      fillRows(y, bias, rows, out);
      multiply(Form.NT, rows, out, in, x, w, 1, y);
      multiply(Form.NN, rows, in, out, g, w, 0, gx);
    }

    @Override
    public Result result() {
      return new Result(
          NativeCopy.read(y, rows * out),
          NativeCopy.read(gx, rows * in),
          NativeCopy.read(gw, out * in),
          NativeCopy.read(gb, out));
    }
  }
}
