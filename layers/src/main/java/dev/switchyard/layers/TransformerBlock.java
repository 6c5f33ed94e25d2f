package dev.switchyard.layers;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import java.util.List;

/**
 * A pre-norm transformer block (Xiong et al. 2020, as in ViT):
 *
 * <pre>
 *   h = x + attention(norm1(x))      y = h + feedForward(norm2(h))
 * </pre>
 */
public final class TransformerBlock implements SequenceLayer {
  private final LayerNorm norm1;
  private final SelfAttention attention;
  private final LayerNorm norm2;
  private final FeedForward feedForward;

  /**
   * A block with random weights as in {@link Linear}.
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
    norm1 = new LayerNorm(name + ".norm1", features);
    attention = new SelfAttention(name + ".attention", features, heads, precision, random.split(0));
    norm2 = new LayerNorm(name + ".norm2", features);
    feedForward =
        new FeedForward(name + ".feedForward", features, hidden, precision, random.split(1));
  }

  // x [tokens, features] -> y [tokens, features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    Tensor h = tape.add(x, attention.forward(tape, norm1.forward(tape, x), sequences));
    return tape.add(h, feedForward.forward(tape, norm2.forward(tape, h)));
  }

  @Override
  public List<Parameter> parameters() {
    return Parameter.concat(
        norm1.parameters(), attention.parameters(), norm2.parameters(), feedForward.parameters());
  }
}
