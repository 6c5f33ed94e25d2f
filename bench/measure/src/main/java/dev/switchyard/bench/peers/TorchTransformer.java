package dev.switchyard.bench.peers;

import dev.switchyard.bench.measuring.PeerTransformer;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.AdamW;
import java.util.Iterator;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The vision transformer of {@code switchyard train} as PyTorch computes it: the same layers with
 * the same initial values, its own autograd, fused attention and AdamW, in float32 or with autocast
 * to bfloat16. For use by the thread that made it.
 */
public final class TorchTransformer implements PeerTransformer {
  private static final int PARAMETERS_OUTSIDE = 7; // three of the embedding, four of the head
  private static final int PARAMETERS_A_BLOCK = 12;

  private final Shape shape;
  private final boolean autocast;
  private final List<Tensor> weights;
  private final TorchAdamW optimizer;

  /**
   * A model before its first step.
   *
   * @param shape its numbers
   * @param parameters those of a {@code VisionTransformer} with a head for scores, copied
   * @param settings of AdamW
   * @param autocast whether products are computed in bfloat16
   * @param threads how many it may use
   * @throws IllegalStateException if PyTorch does not load here
   * @throws IllegalArgumentException if the parameters are not those of such a model
   */
  public TorchTransformer(
      Shape shape,
      List<Parameter> parameters,
      AdamW.Settings settings,
      boolean autocast,
      int threads) {
    if (parameters.size() != PARAMETERS_OUTSIDE + shape.depth() * PARAMETERS_A_BLOCK) {
      throw new IllegalArgumentException(
          "the model has "
              + parameters.size()
              + " parameters (expected "
              + PARAMETERS_OUTSIDE
              + " and "
              + PARAMETERS_A_BLOCK
              + " for each of "
              + shape.depth()
              + " blocks)");
    }
    this.shape = shape;
    this.autocast = autocast;
    weights = TorchAdamW.copies(parameters, threads);
    optimizer = new TorchAdamW(parameters, weights, settings);
  }

  /**
   * Loads PyTorch, which takes some seconds the first time.
   *
   * @throws IllegalStateException if it does not load here
   */
  public static void requireAvailable() {
    Torch.limitThreads(1); // as good a call as any
  }

  @Override
  public double step(float[] pixels, int[] labels, float rate) {
    try (PointerScope _ = new PointerScope()) {
      Tensor loss =
          TorchLayers.autocast(
              autocast,
              () -> torch.cross_entropy_loss(forward(pixels, labels.length), classes(labels)));
      loss.backward();
      optimizer.step(rate);
      optimizer.zeroGrad();
      return loss.item_double();
    }
  }

  @Override
  public float[] scores(float[] pixels, int images) {
    try (PointerScope _ = new PointerScope();
        NoGradGuard _ = new NoGradGuard()) {
      Tensor scores = forward(pixels, images).contiguous();
      return NativeCopy.read(scores.data_ptr(), Math.toIntExact(scores.numel()));
    }
  }

  private static Tensor classes(int[] labels) {
    long[] classes = new long[labels.length];
    for (int i = 0; i < labels.length; i++) {
      classes[i] = labels[i];
    }
    return torch.from_blob(
        new LongPointer(classes), new long[] {labels.length}, new TensorOptions(ScalarType.Long));
  }

  // pixels [images, pixels, pixels] -> [images, classes]
  private Tensor forward(float[] pixels, int images) {
    Iterator<Tensor> w = weights.iterator();
    int patch = shape.patch();
    int across = shape.pixels() / patch;
    Tensor x =
        torch
            .from_blob(new FloatPointer(pixels), images, across, patch, across, patch)
            .permute(0, 1, 3, 2, 4)
            .reshape(images, (long) across * across, (long) patch * patch);
    x = TorchLayers.linear(x, w).add(w.next()); // positions
    for (int block = 0; block < shape.depth(); block++) {
      x = TorchLayers.block(x, w, shape.heads());
    }
    return TorchLayers.linear(TorchLayers.norm(x, w).mean(1), w);
  }
}
