package dev.switchyard.bench.peers;

import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.AdamW;
import java.util.Iterator;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The vision transformer of {@code switchyard train} as PyTorch computes it: the same layers with
 * the same initial values, its own autograd, fused attention and AdamW, in float32 or with autocast
 * to bfloat16. For use by the thread that made it.
 */
public final class TorchTransformer {
  private static final double LAYER_NORM_EPS = 1e-5;
  private static final int PARAMETERS_OUTSIDE = 7; // three of the embedding, four of the head
  private static final int PARAMETERS_A_BLOCK = 12;

  private final Shape shape;
  private final boolean autocast;
  private final List<Tensor> weights;
  private final org.bytedeco.pytorch.AdamW decaying;
  private final org.bytedeco.pytorch.AdamW others;

  /**
   * The numbers of the model.
   *
   * @param pixels rows and columns of an image, of one channel
   * @param patch rows and columns of a patch
   * @param width features of a token
   * @param depth blocks
   * @param heads of attention
   */
  public record Shape(int pixels, int patch, int width, int depth, int heads) {
    private int patchesAcross() {
      return pixels / patch;
    }

    private int tokens() {
      return patchesAcross() * patchesAcross();
    }
  }

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
    limitThreads(threads);
    this.shape = shape;
    this.autocast = autocast;
    weights = parameters.stream().map(TorchTransformer::copy).toList();
    decaying = optimizer(parameters, true, settings);
    others = optimizer(parameters, false, settings);
  }

  /**
   * Loads PyTorch, which takes some seconds the first time.
   *
   * @throws IllegalStateException if it does not load here
   */
  public static void requireAvailable() {
    limitThreads(1); // as good a call as any
  }

  /** PyTorch takes its own number for what it does itself, and that of OpenBLAS for products. */
  private static void limitThreads(int threads) {
    try {
      torch.set_num_threads(threads);
      openblas.blas_set_num_threads(threads);
    } catch (LinkageError e) {
      throw new IllegalStateException("PyTorch does not load here (" + e + ")", e);
    }
  }

  private static Tensor copy(Parameter parameter) {
    long[] shape =
        parameter.rows() == 1
            ? new long[] {parameter.cols()}
            : new long[] {parameter.rows(), parameter.cols()};
    // Closed, and so alive, only after the values were copied: PyTorch does not keep the pointer.
    try (FloatPointer values = new FloatPointer(parameter.value().data())) {
      return torch.from_blob(values, shape).clone().requires_grad_(true);
    }
  }

  private org.bytedeco.pytorch.AdamW optimizer(
      List<Parameter> parameters, boolean decays, AdamW.Settings settings) {
    TensorVector some = new TensorVector();
    for (int i = 0; i < parameters.size(); i++) {
      if (parameters.get(i).decays() == decays) {
        some.push_back(weights.get(i));
      }
    }
    AdamWOptions options = new AdamWOptions(1e-3);
    // C++ libraries differ in how they lay out a pair: the defaults, 0.9 and 0.999, tell.
    boolean swapped = options.betas().get(0) > options.betas().get(1);
    options.betas().put(swapped ? 1 : 0, settings.beta1());
    options.betas().put(swapped ? 0 : 1, settings.beta2());
    options.eps().put(settings.eps());
    options.weight_decay().put(decays ? settings.decay() : 0);
    return new org.bytedeco.pytorch.AdamW(some, options);
  }

  /**
   * Makes a training step.
   *
   * @param pixels of some images, one after the other
   * @param labels the right class of each
   * @param rate the learning rate
   * @return the loss
   */
  public double step(float[] pixels, int[] labels, float rate) {
    try (PointerScope _ = new PointerScope()) {
      Tensor loss;
      torch.set_autocast_enabled(DeviceType.CPU, autocast);
      torch.set_autocast_dtype(DeviceType.CPU, ScalarType.BFloat16);
      try {
        loss = torch.cross_entropy_loss(forward(pixels, labels.length), classes(labels));
      } finally {
        torch.set_autocast_enabled(DeviceType.CPU, false);
        torch.clear_cache(); // of the weights that it has rounded
      }
      loss.backward();
      for (org.bytedeco.pytorch.AdamW optimizer : List.of(decaying, others)) {
        optimizer.param_groups().get(0).options().set_lr(rate);
        optimizer.step();
        optimizer.zero_grad();
      }
      return loss.item_double();
    }
  }

  /**
   * Computes scores, in float32.
   *
   * @param pixels of some images, one after the other
   * @param images how many
   * @return [images][classes], row by row
   */
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
    int across = shape.patchesAcross();
    int patch = shape.patch();
    Tensor x =
        torch
            .from_blob(new FloatPointer(pixels), images, across, patch, across, patch)
            .permute(0, 1, 3, 2, 4)
            .reshape(images, shape.tokens(), (long) patch * patch);
    x = linear(x, w).add(w.next()); // positions
    for (int block = 0; block < shape.depth(); block++) {
      x = x.add(attention(norm(x, w), w));
      Tensor hidden = linear(norm(x, w), w);
      x = x.add(linear(torch.gelu(hidden), w));
    }
    return linear(norm(x, w).mean(1), w);
  }

  private Tensor norm(Tensor x, Iterator<Tensor> w) {
    return torch.layer_norm(
        x,
        new long[] {shape.width()},
        new TensorOptional(w.next()),
        new TensorOptional(w.next()),
        LAYER_NORM_EPS,
        false);
  }

  private static Tensor linear(Tensor x, Iterator<Tensor> w) {
    return torch.linear(x, w.next(), new TensorOptional(w.next()));
  }

  // x [images, tokens, width] -> [images, tokens, width]
  private Tensor attention(Tensor x, Iterator<Tensor> w) {
    long images = x.size(0);
    int heads = shape.heads();
    Tensor qkv =
        linear(x, w)
            .view(images, shape.tokens(), 3, heads, shape.width() / heads)
            .permute(2, 0, 3, 1, 4);
    Tensor mixed =
        torch.scaled_dot_product_attention(qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2));
    return linear(mixed.transpose(1, 2).reshape(images, shape.tokens(), shape.width()), w);
  }
}
