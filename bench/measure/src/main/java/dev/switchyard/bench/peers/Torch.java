package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * PyTorch in this process: linear layers and their gradients by autograd. Whole layers are in
 * {@link TorchLayers}.
 */
final class Torch implements Peer {
  Torch(int threads) {
    limitThreads(threads);
  }

  /**
   * Loads PyTorch, which takes some seconds the first time. It takes its own number for what it
   * does itself, and that of OpenBLAS for products.
   *
   * @throws IllegalStateException if it does not load here
   */
  static void limitThreads(int threads) {
    try {
      torch.set_num_threads(threads);
      openblas.blas_set_num_threads(threads);
    } catch (LinkageError e) {
      throw new IllegalStateException("PyTorch does not load here (" + e + ")", e);
    }
  }

  /** A copy in native memory. */
  static Tensor copy(float[] values, long... shape) {
    // Closed, and so alive, only after the values were copied: PyTorch does not keep the pointer.
    try (FloatPointer pointer = new FloatPointer(values)) {
      return torch.from_blob(pointer, shape).clone();
    }
  }

  private static Tensor copy(Matrix matrix) {
    return switch (matrix) {
      case FloatMatrix floats -> copy(floats.copy().data(), floats.rows(), floats.cols());
      case Bfloat16Matrix _, QuantizedMatrix _ ->
          throw new IllegalArgumentException("PyTorch takes part with 32-bit floats only");
    };
  }

  /** The values of a tensor, row by row. */
  static float[] read(Tensor tensor) {
    try (PointerScope _ = new PointerScope()) {
      Tensor dense = tensor.detach().contiguous();
      return NativeCopy.read(dense.data_ptr(), Math.toIntExact(dense.numel()));
    }
  }

  @Override
  public String name() {
    return "pytorch";
  }

  @Override
  public String description() {
    // Its own version and that of the binding: 2.10.0-1.5.13.
    String version = torch.class.getPackage().getImplementationVersion();
    return "PyTorch " + version.substring(0, version.indexOf('-'));
  }

  @Override
  public Set<ElementType> types() {
    return EnumSet.of(ElementType.FLOAT32);
  }

  @Override
  public PeerProduct product(ElementType type, Matrix x, Matrix w, float[] bias) {
    Tensor input = copy(x);
    Tensor weight = copy(w);
    TensorOptional added = new TensorOptional(copy(bias, bias.length));
    return new PeerProduct() {
      private Tensor product;

      @Override
      public void run() {
        if (product != null) {
          product.close();
        }
        product = torch.linear(input, weight, added);
      }

      @Override
      public float[] result() {
        return read(product);
      }
    };
  }

  @Override
  public LinearStep step(ElementType type, LinearOperands operands, Profile profile) {
    return new Step(operands, profile);
  }

  /** Forward, and backward by autograd, which computes all three gradients at once. */
  private static final class Step implements LinearStep {
    private final Profile profile;
    private final Tensor x;
    private final Tensor w;
    private final Tensor bias;
    private final Tensor g;
    private Tensor y;

    Step(LinearOperands operands, Profile profile) {
      this.profile = profile;
      x = copy(operands.x()).requires_grad_(true);
      w = copy(operands.w()).requires_grad_(true);
      bias = copy(operands.bias(), operands.out()).requires_grad_(true);
      g = copy(operands.g());
    }

    @Override
    public void run() {
      TorchLayers.forgetGradients(List.of(x, w, bias));
      if (y != null) {
        y.close();
      }
      profile.measure(Part.MULTIPLY, () -> y = torch.linear(x, w, new TensorOptional(bias)));
      profile.measure(Part.WEIGHT_GRADIENT, () -> TorchLayers.backward(y, g));
    }

    @Override
    public Result result() {
      return new Result(read(y), read(x.grad()), read(w.grad()), read(bias.grad()));
    }
  }
}
