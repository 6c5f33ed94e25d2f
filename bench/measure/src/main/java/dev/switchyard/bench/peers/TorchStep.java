package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Forward and backward of a layer over sequences of one length, by PyTorch's autograd, in float32
 * or with autocast to bfloat16. For use by the thread that made it.
 */
public final class TorchStep {
  private final Layer layer;
  private final int heads;
  private final boolean autocast;
  private final List<Tensor> weights;
  private final Tensor x;
  private final Tensor g;
  private Tensor y;

  /** What is computed. */
  public enum Layer {
    /** Self-attention with its two linear layers. */
    ATTENTION,
    /** A transformer block, normalised before its two branches. */
    BLOCK
  }

  /**
   * A step of a layer.
   *
   * @param parameters of Switchyard's layer, copied
   * @param sequences how many; the rows of the input are divided among them
   * @param x the input [tokens of all, width], copied
   * @param g the gradient of the output, of the same shape, copied
   * @param autocast whether products are computed in bfloat16
   * @param threads how many it may use
   * @throws IllegalStateException if PyTorch does not load here
   */
  public TorchStep(
      Layer layer,
      int heads,
      List<Parameter> parameters,
      int sequences,
      FloatMatrix x,
      FloatMatrix g,
      boolean autocast,
      int threads) {
    this.layer = layer;
    this.heads = heads;
    this.autocast = autocast;
    weights = TorchAdamW.copies(parameters, threads);
    long[] shape = {sequences, x.rows() / sequences, x.cols()};
    this.x = Torch.copy(x.data(), shape).requires_grad_(true);
    this.g = Torch.copy(g.data(), shape);
  }

  /** Computes the output and all gradients anew. */
  public void run() {
    TorchLayers.forgetGradients(weights);
    TorchLayers.forgetGradients(List.of(x));
    if (y != null) {
      y.close();
    }
    try (PointerScope _ = new PointerScope()) {
      Tensor output = TorchLayers.autocast(autocast, this::forward);
      TorchLayers.backward(output, g);
      y = output.detach().retainReference();
    }
  }

  private Tensor forward() {
    Tensor output =
        switch (layer) {
          case ATTENTION -> TorchLayers.attention(x, weights.iterator(), heads);
          case BLOCK -> TorchLayers.block(x, weights.iterator(), heads);
        };
    return TorchLayers.toFloat(output);
  }

  /** The output, row by row. */
  public float[] output() {
    return Torch.read(y);
  }

  /** The gradient of the input, row by row. */
  public float[] inputGradient() {
    return Torch.read(x.grad());
  }

  /** The gradient of a parameter, by its place in the list, row by row. */
  public float[] gradient(int parameter) {
    return Torch.read(weights.get(parameter).grad());
  }
}
