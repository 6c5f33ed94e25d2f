package dev.switchyard.layers.block;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.norm.LayerNorm;
import java.util.List;

/**
 * A transformer block as first published (Vaswani et al. 2017, section 3.1; BERT is made of it),
 * which normalizes what each branch has been added to:
 *
 * <pre>
 *   h = norm1(x + attention(x))      y = norm2(h + feedForward(h))
 * </pre>
 */
public final class PostNormBlock implements ResidualBlock {
  private final SelfAttention attention;
  private final LayerNorm norm1;
  private final FeedForward feedForward;
  private final LayerNorm norm2;

  /**
   * A block with random weights as in {@link dev.switchyard.layers.Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of input and output
   * @param heads attention heads; they divide the features
   * @param hidden features inside the feed-forward part, usually four times as many
   * @param precision of all four linear layers
   * @param random where the weights come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
   */
  public PostNormBlock(
      String name, int features, int heads, int hidden, Precision precision, CounterRandom random) {
    this(
        new SelfAttention(name + ".attention", features, heads, precision, random.split(0)),
        new LayerNorm(name + ".norm1", features),
        new FeedForward(name + ".feedForward", features, hidden, precision, random.split(1)),
        new LayerNorm(name + ".norm2", features));
  }

  /**
   * A block of given layers, all of which take and give the same number of features.
   *
   * @param attention the first branch
   * @param norm1 what follows it
   * @param feedForward the second branch
   * @param norm2 what follows it
   */
  public PostNormBlock(
      SelfAttention attention, LayerNorm norm1, FeedForward feedForward, LayerNorm norm2) {
    this.attention = attention;
    this.norm1 = norm1;
    this.feedForward = feedForward;
    this.norm2 = norm2;
  }

  // x [queries, features], context [keys, features] -> h [queries, features]
  @Override
  public Tensor attend(
      Tape tape, Tensor x, Sequences ofX, Tensor context, Sequences ofContext, Tensor gates) {
    return addAndNorm(tape, x, attention.forward(tape, x, ofX, context, ofContext, gates), norm1);
  }

  // h [tokens, features] -> y [tokens, features]
  @Override
  public Tensor transform(Tape tape, Tensor h, Sequences sequences) {
    return addAndNorm(tape, h, feedForward.forward(tape, h), norm2);
  }

  private static Tensor addAndNorm(Tape tape, Tensor x, Tensor branch, LayerNorm norm) {
    Tensor sum = tape.add(x, branch);
    tape.release(branch);
    Tensor y = norm.forward(tape, sum);
    tape.release(sum);
    return y;
  }

  @Override
  public PostNormBlock withSeparateQueries() {
    return new PostNormBlock(attention.separateQueries(), norm1, feedForward, norm2);
  }

  @Override
  public PostNormBlock withOwnNorms() {
    return new PostNormBlock(attention, norm1.copy(), feedForward, norm2.copy());
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
    return List.of(attention, norm1, feedForward, norm2);
  }
}
