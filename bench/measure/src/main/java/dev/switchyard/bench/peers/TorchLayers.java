package dev.switchyard.bench.peers;

import java.util.Iterator;
import java.util.function.Supplier;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The layers of a transformer as PyTorch computes them. Each takes its weights, in the order of
 * Switchyard's parameters, from an iterator.
 */
final class TorchLayers {
  private static final double LAYER_NORM_EPS = 1e-5;

  private TorchLayers() {}

  // x [sequences, tokens, width] -> the same
  static Tensor block(Tensor x, Iterator<Tensor> w, int heads) {
    Tensor y = x.add(attention(norm(x, w), w, heads));
    Tensor hidden = linear(norm(y, w), w);
    return y.add(linear(torch.gelu(hidden), w));
  }

  // x [sequences, tokens, width] -> the same
  static Tensor attention(Tensor x, Iterator<Tensor> w, int heads) {
    long sequences = x.size(0);
    long tokens = x.size(1);
    long width = x.size(2);
    Tensor qkv =
        linear(x, w).view(sequences, tokens, 3, heads, width / heads).permute(2, 0, 3, 1, 4);
    Tensor mixed =
        torch.scaled_dot_product_attention(qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2));
    return linear(mixed.transpose(1, 2).reshape(sequences, tokens, width), w);
  }

  static Tensor norm(Tensor x, Iterator<Tensor> w) {
    return torch.layer_norm(
        x,
        new long[] {x.size(-1)},
        new TensorOptional(w.next()),
        new TensorOptional(w.next()),
        LAYER_NORM_EPS,
        false);
  }

  static Tensor linear(Tensor x, Iterator<Tensor> w) {
    return torch.linear(x, w.next(), new TensorOptional(w.next()));
  }

  /** Computes something with products in bfloat16, or as it stands. */
  static Tensor autocast(boolean enabled, Supplier<Tensor> forward) {
    torch.set_autocast_enabled(DeviceType.CPU, enabled);
    torch.set_autocast_dtype(DeviceType.CPU, ScalarType.BFloat16);
    try {
      return forward.get();
    } finally {
      torch.set_autocast_enabled(DeviceType.CPU, false);
      torch.clear_cache(); // of the weights that it has rounded
    }
  }

  /** Goes back from an output whose gradient is known. */
  static void backward(Tensor y, Tensor gradient) {
    y.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
  }

  /** The next backward pass begins anew, as PyTorch's own optimizers have it. */
  static void forgetGradients(Iterable<Tensor> tensors) {
    for (Tensor tensor : tensors) {
      tensor.mutable_grad().reset();
    }
  }

  /** Of 32-bit floats, whatever it was. */
  static Tensor toFloat(Tensor tensor) {
    return tensor.to(ScalarType.Float);
  }
}
