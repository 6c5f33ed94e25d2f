package dev.switchyard.layers.block;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.norm.LayerNorm;
import dev.switchyard.layers.norm.LayerScale;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A pre-norm transformer block (Xiong et al. 2020, as in ViT):
 *
 * <pre>
 *   h = x + attention(norm1(x))      y = h + feedForward(norm2(h))
 * </pre>
 *
 * Before it is added, each branch passes through what {@link BlockOptions} ask for: {@link
 * LayerScale}, {@link Dropout} and {@link StochasticDepth}.
 */
public final class TransformerBlock implements ResidualBlock {
  private final LayerNorm norm1;
  private final SelfAttention attention;
  private final LayerNorm norm2;
  private final FeedForward feedForward;
  private final List<LayerScale> scales; // of attention and of feedForward, or none
  private final Dropout dropout;
  private final StochasticDepth depth;

  /**
   * A plain block, see {@link BlockOptions#of}, with random weights as in {@link
   * dev.switchyard.layers.Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of input and output
   * @param heads attention heads; they divide the features
   * @param hidden features inside the feed-forward part, usually four times as many
   * @param precision of all four linear layers
   * @param random where the weights come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
   */
  public TransformerBlock(
      String name, int features, int heads, int hidden, Precision precision, CounterRandom random) {
    this(name, BlockOptions.of(features, heads, precision).withHidden(hidden), random);
  }

  /**
   * A block with random weights as in {@link dev.switchyard.layers.Linear}. Whether it is computed
   * twice is not for it to decide, see {@link dev.switchyard.layers.Recomputed}.
   *
   * @param name prefix of the parameters' names
   * @param options what it is like
   * @param random where the weights and masks come from: a {@linkplain CounterRandom#split split}
   *     for it alone, as the same generator gives two layers the same numbers
   */
  public TransformerBlock(String name, BlockOptions options, CounterRandom random) {
    int features = options.features();
    norm1 = new LayerNorm(name + ".norm1", features);
    attention =
        new SelfAttention(
            name + ".attention",
            features,
            options.heads(),
            options.causal(),
            options.precision(),
            random.split(0));
    norm2 = new LayerNorm(name + ".norm2", features);
    feedForward =
        new FeedForward(
            name + ".feedForward",
            features,
            options.hidden(),
            options.precision(),
            random.split(1));
    scales =
        options
            .layerScale()
            .map(
                gain ->
                    List.of(
                        new LayerScale(name + ".scale1", features, gain),
                        new LayerScale(name + ".scale2", features, gain)))
            .orElse(List.of());
    dropout = new Dropout(options.dropout(), random.split(2));
    depth = new StochasticDepth(options.stochasticDepth(), random.split(3));
  }

  private TransformerBlock(
      TransformerBlock other, SelfAttention attention, LayerNorm norm1, LayerNorm norm2) {
    this.norm1 = norm1;
    this.attention = attention;
    this.norm2 = norm2;
    this.feedForward = other.feedForward;
    this.scales = other.scales;
    this.dropout = other.dropout;
    this.depth = other.depth;
  }

  // x [queries, features], context [keys, features] -> h [queries, features]
  @Override
  public Tensor attend(
      Tape tape, Tensor x, Sequences ofX, Tensor context, Sequences ofContext, Tensor gates) {
    Tensor normal = norm1.forward(tape, x);
    Tensor keys = x == context ? normal : norm1.forward(tape, context);
    Tensor attended = attention.forward(tape, normal, ofX, keys, ofContext, gates);
    tape.release(normal);
    if (keys != normal) {
      tape.release(keys);
    }
    return addBranch(tape, x, 0, attended, ofX);
  }

  // h [tokens, features] -> y [tokens, features]
  @Override
  public Tensor transform(Tape tape, Tensor h, Sequences sequences) {
    Tensor normal = norm2.forward(tape, h);
    Tensor transformed = feedForward.forward(tape, normal);
    tape.release(normal);
    return addBranch(tape, h, 1, transformed, sequences);
  }

  /** Adds the result of a branch, scaled and dropped in part, to what goes past it. */
  private Tensor addBranch(Tape tape, Tensor past, int branch, Tensor result, Sequences sequences) {
    Tensor scaled = scales.isEmpty() ? result : scales.get(branch).forward(tape, result);
    Tensor dropped = dropout.forward(tape, scaled);
    Tensor left = depth.forward(tape, dropped, sequences);
    Tensor y = tape.add(past, left);
    // Where nothing is dropped, these are fewer tensors than names.
    Stream.of(result, scaled, dropped, left).distinct().forEach(tape::release);
    return y;
  }

  @Override
  public TransformerBlock withSeparateQueries() {
    return new TransformerBlock(this, attention.separateQueries(), norm1, norm2);
  }

  @Override
  public TransformerBlock withOwnNorms() {
    return new TransformerBlock(this, attention, norm1.copy(), norm2.copy());
  }

  @Override
  public List<LayerNorm> norms() {
    return List.of(norm1, norm2);
  }

  @Override
  public boolean isCausal() {
    return attention.isCausal();
  }

  @Override
  public List<? extends Model> parts() {
    List<Model> parts = new ArrayList<>(List.of(norm1, attention, norm2, feedForward));
    parts.addAll(scales);
    return parts;
  }
}
