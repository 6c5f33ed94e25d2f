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
 * With layer scale, each branch passes through a {@link LayerScale} before it is added.
 */
public final class TransformerBlock implements SequenceLayer {
  private final LayerNorm norm1;
  private final SelfAttention attention;
  private final LayerNorm norm2;
  private final FeedForward feedForward;
  private final List<LayerScale> scales; // of attention and of feedForward, or none

  /**
   * A block without layer scale, with random weights as in {@link Linear}.
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
    this(name, features, heads, hidden, precision, List.of(), random);
  }

  /**
   * A block with layer scale and random weights as in {@link Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of input and output
   * @param heads attention heads; they divide the features
   * @param hidden features inside the feed-forward part, usually four times as many
   * @param precision of all four linear layers
   * @param gain what the gains of both branches are at first, usually 0
   * @param random where the weights come from
   */
  public TransformerBlock(
      String name,
      int features,
      int heads,
      int hidden,
      Precision precision,
      float gain,
      CounterRandom random) {
    this(
        name,
        features,
        heads,
        hidden,
        precision,
        List.of(
            new LayerScale(name + ".scale1", features, gain),
            new LayerScale(name + ".scale2", features, gain)),
        random);
  }

  private TransformerBlock(
      String name,
      int features,
      int heads,
      int hidden,
      Precision precision,
      List<LayerScale> scales,
      CounterRandom random) {
    this.scales = scales;
    norm1 = new LayerNorm(name + ".norm1", features);
    attention = new SelfAttention(name + ".attention", features, heads, precision, random.split(0));
    norm2 = new LayerNorm(name + ".norm2", features);
    feedForward =
        new FeedForward(name + ".feedForward", features, hidden, precision, random.split(1));
  }

  // x [tokens, features] -> y [tokens, features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    Tensor attended = attention.forward(tape, norm1.forward(tape, x), sequences);
    Tensor h = tape.add(x, scaled(tape, 0, attended));
    return tape.add(h, scaled(tape, 1, feedForward.forward(tape, norm2.forward(tape, h))));
  }

  private Tensor scaled(Tape tape, int branch, Tensor x) {
    return scales.isEmpty() ? x : scales.get(branch).forward(tape, x);
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
