package dev.switchyard.bench.peers;

import static dev.switchyard.bench.peers.OneDnnLibrary.anyLayout;
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
 *
 * <p>Right operands are reordered into oneDNN's packed layout, and to bfloat16 in the same pass;
 * left operands are read row by row, and G^T in place. On the shapes tried this was the fastest of
 * the choices: the packed layout pays for its pass in most products (up to a third of the input
 * gradient in float32), that of a transposed left operand seldom does.
 */
final class OneDnnStep implements LinearStep {
  private final OneDnnLibrary library;
  private final memory.data_type type;
  private final Part partOfReorders;
  private final Profile profile;
  private final int rows;
  private final int in;
  private final int out;
  private final List<Runnable> reorders = new ArrayList<>();
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
    // Packing counts as part of the products, as it does in Switchyard.
    this.partOfReorders = elementType == ElementType.FLOAT32 ? Part.MULTIPLY : Part.QUANTIZE;
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
    memory.desc gT = transposed(type, rows, out);
    memory leftX = inLayout(x, rowMajor(type, rows, in));
    memory leftG = inLayout(g, rowMajor(type, rows, out));
    forward =
        new OneDnnMatmul(
            library, leftX.get_desc(), anyLayout(type, in, out), y.get_desc(), Extra.BIAS);
    forward
        .operands(leftX, inLayout(library.view(w, transposed(f32, out, in)), forward.right()), y)
        .bias(library.copyOf(Arrays.copyOf(operands.bias(), out)));
    backward = new OneDnnMatmul(library, leftG.get_desc(), anyLayout(type, out, in), gx.get_desc());
    backward.operands(leftG, inLayout(w, backward.right()), gx);
    weightGradient = new OneDnnMatmul(library, gT, anyLayout(type, rows, in), gw.get_desc());
    weightGradient.operands(library.view(leftG, gT), inLayout(x, weightGradient.right()), gw);
    float[] ones = new float[rows];
    Arrays.fill(ones, 1);
    biasGradient =
        new OneDnnMatmul(library, rowMajor(f32, 1, rows), g.get_desc(), gb.get_desc())
            .operands(library.copyOf(ones), g, gb);
  }

  /** The matrix itself, or a place for it in another layout or type, filled in each step. */
  private memory inLayout(memory matrix, memory.desc wanted) {
    if (wanted.equals(matrix.get_desc())) {
      return matrix;
    }
    memory copy = library.allocate(wanted);
    reorders.add(library.reorder(matrix, copy));
    return copy;
  }

  @Override
  public void run() {
    profile.measure(partOfReorders, () -> reorders.forEach(Runnable::run));
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
