package dev.switchyard.bench.peers;

import static dev.switchyard.bench.peers.OneDnnLibrary.rowMajor;
import static dev.switchyard.bench.peers.OneDnnLibrary.transposed;

import dev.switchyard.bench.peers.OneDnnMatmul.Extra;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.memory;

/**
 * A training step with oneDNN: three matmul primitives, whose results are 32-bit floats, and the
 * column sums of the gradient as a product with a row of ones.
 */
final class OneDnnStep implements LinearStep {
  private final OneDnnLibrary library;
  private final memory.data_type type;
  private final Profile profile;
  private final int rows;
  private final int in;
  private final int out;
  private final List<Runnable> conversions = new ArrayList<>();
  private final OneDnnMatmul forward;
  private final OneDnnMatmul backward;
  private final OneDnnMatmul weightGradient;
  private final OneDnnMatmul biasGradient;
  private final memory y;
  private final memory gx;
  private final memory gw;
  private final memory gb;

  OneDnnStep(
      OneDnnLibrary library, ElementType elementType, LinearOperands operands, Profile profile) {
    this.library = library;
    this.type = OneDnnLibrary.typeOf(elementType);
    this.profile = profile;
    rows = operands.rows();
    in = operands.in();
    out = operands.out();
    memory.data_type f32 = memory.data_type.f32;
    memory x = library.copyOf(ElementType.FLOAT32, operands.x());
    memory w = library.copyOf(ElementType.FLOAT32, operands.w());
    memory g = library.copyOf(ElementType.FLOAT32, operands.g());
    y = library.allocate(rowMajor(f32, rows, out));
    gx = library.allocate(rowMajor(f32, rows, in));
    gw = library.allocate(rowMajor(f32, out, in));
    gb = library.allocate(rowMajor(f32, 1, out));
    memory x16 = converted(x, rows, in);
    memory w16 = converted(w, out, in);
    memory g16 = converted(g, rows, out);
    memory.desc wT = transposed(type, out, in);
    memory.desc gT = transposed(type, rows, out);
    forward =
        new OneDnnMatmul(library, x16.get_desc(), wT, y.get_desc(), Extra.BIAS)
            .operands(x16, library.view(w16, wT), y)
            .bias(library.copyOf(Arrays.copyOf(operands.bias(), out)));
    backward =
        new OneDnnMatmul(library, g16.get_desc(), w16.get_desc(), gx.get_desc())
            .operands(g16, w16, gx);
    weightGradient =
        new OneDnnMatmul(library, gT, x16.get_desc(), gw.get_desc())
            .operands(library.view(g16, gT), x16, gw);
    float[] ones = new float[rows];
    Arrays.fill(ones, 1);
    biasGradient =
        new OneDnnMatmul(library, rowMajor(f32, 1, rows), g.get_desc(), gb.get_desc())
            .operands(library.copyOf(ones), g, gb);
  }

  /** The matrix itself, or its place in the type of the products, filled anew in each step. */
  private memory converted(memory matrix, int matrixRows, int cols) {
    if (type == memory.data_type.f32) {
      return matrix;
    }
    memory converted = library.allocate(rowMajor(type, matrixRows, cols));
    conversions.add(library.reorder(matrix, converted));
    return converted;
  }

  @Override
  public void run() {
    if (!conversions.isEmpty()) {
      profile.measure(Part.QUANTIZE, () -> conversions.forEach(Runnable::run));
    }
    profile.measure(Part.MULTIPLY, forward::run);
    profile.measure(Part.MULTIPLY, backward::run);
    profile.measure(Part.WEIGHT_GRADIENT, weightGradient::run);
    biasGradient.run();
  }

  @Override
  public Result result() {
    return new Result(
        NativeCopy.read(y.get_data_handle(), rows * out),
        NativeCopy.read(gx.get_data_handle(), rows * in),
        NativeCopy.read(gw.get_data_handle(), out * in),
        NativeCopy.read(gb.get_data_handle(), out));
  }
}
