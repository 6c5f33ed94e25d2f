package dev.switchyard.layers;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import java.util.ArrayList;
import java.util.List;

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
public final class TransformerBlock implements SequenceLayer {
  private final LayerNorm norm1;
  private final SelfAttention attention;
  private final LayerNorm norm2;
  private final FeedForward feedForward;
  private final List<LayerScale> scales; // of attention and of feedForward, or none
  private final Dropout dropout;
  private final StochasticDepth depth;

  /**
   * A plain block, see {@link BlockOptions#of}, with random weights as in {@link Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of input and output
   * @param heads attention heads; they divide the features
   * @param hidden features inside the feed-forward part, usually four times as many
   * @param precision of all four linear layers
   * @param random where the weights come from
   */
  public TransformerBlock(
      String name, int features, int heads, int hidden, Precision precision, CounterRandom random) {
    this(name, BlockOptions.of(features, heads, precision).withHidden(hidden), random);
  }

  /**
   * A block with random weights as in {@link Linear}. Whether it is computed twice is not for it to
   * decide, see {@link Recomputed}.
   *
   * @param name prefix of the parameters' names
   * @param options what it is like
   * @param random where the weights and masks come from
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

  // x [tokens, features] -> y [tokens, features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    Tensor attended = attention.forward(tape, norm1.forward(tape, x), sequences);
    Tensor h = tape.add(x, branch(tape, 0, attended, sequences));
    Tensor transformed = feedForward.forward(tape, norm2.forward(tape, h));
    return tape.add(h, branch(tape, 1, transformed, sequences));
  }

  /** The result of a branch, scaled and dropped in part. */
  private Tensor branch(Tape tape, int branch, Tensor x, Sequences sequences) {
    Tensor scaled = scales.isEmpty() ? x : scales.get(branch).forward(tape, x);
    return depth.forward(tape, dropout.forward(tape, scaled), sequences);
  }

  @Override
  public List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>(norm1.parameters());
    all.addAll(attention.parameters());
    all.addAll(norm2.parameters());
    all.addAll(feedForward.parameters());
    scales.forEach(scale -> all.addAll(scale.parameters()));
    return List.copyOf(all);
  }
}
