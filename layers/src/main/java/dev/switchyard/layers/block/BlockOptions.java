package dev.switchyard.layers.block;

import dev.switchyard.layers.Precision;
import java.util.Locale;
import java.util.Optional;

/**
 * The shape of a {@link TransformerBlock} and what it does beyond the formula. Immutable: start
 * from {@link #of} and change what differs.
 *
 * @param features columns of input and output
 * @param heads attention heads, which divide the features
 * @param hidden features inside the feed-forward part
 * @param precision of the four linear layers
 * @param causal whether a token attends to those before it and to itself alone
 * @param layerScale what the gains of both branches are at first (see {@link
 *     dev.switchyard.layers.norm.LayerScale}); none for a block without
 * @param dropout the part of each branch's result that {@link Dropout} drops
 * @param stochasticDepth for which part of the sequences {@link StochasticDepth} leaves a branch
 *     out
 * @param recompute whether the block keeps its input alone and computes the rest again on the way
 *     back, see {@link dev.switchyard.layers.Recomputed}
 */
public record BlockOptions(
    int features,
    int heads,
    int hidden,
    Precision precision,
    boolean causal,
    Optional<Float> layerScale,
    float dropout,
    float stochasticDepth,
    boolean recompute) {
  private static final int EXPANSION = 4; // Vaswani et al. 2017, section 3.3

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if the heads do not divide the features, or a number is out of
   *     range
   */
  public BlockOptions {
    if (features < 1 || heads < 1 || features % heads != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a block has %d features and %d heads (expected 1 or more heads that divide the"
                  + " features)",
              features,
              heads));
    }
    if (hidden < 1) {
      throw new IllegalArgumentException("hidden is " + hidden + " (expected 1 or more)");
    }
    Dropout.requireRate("dropout", dropout);
    Dropout.requireRate("stochastic depth", stochasticDepth);
  }

  /**
   * A plain block: four times as many hidden features, attention to the whole sequence, no layer
   * scale, nothing dropped, nothing computed twice.
   *
   * @param features columns of input and output
   * @param heads attention heads, which divide the features
   * @param precision of the linear layers
   * @return the options
   */
  public static BlockOptions of(int features, int heads, Precision precision) {
    return new BlockOptions(
        features, heads, EXPANSION * features, precision, false, Optional.empty(), 0, 0, false);
  }

  /**
   * The same with another number of hidden features.
   *
   * @param newHidden features inside the feed-forward part
   * @return the options
   */
  public BlockOptions withHidden(int newHidden) {
    return new BlockOptions(
        features,
        heads,
        newHidden,
        precision,
        causal,
        layerScale,
        dropout,
        stochasticDepth,
        recompute);
  }

  /**
   * The same with causal attention.
   *
   * @return the options
   */
  public BlockOptions withCausalAttention() {
    return new BlockOptions(
        features, heads, hidden, precision, true, layerScale, dropout, stochasticDepth, recompute);
  }

  /**
   * The same with layer scale.
   *
   * @param gain what the gains are at first, usually 0
   * @return the options
   */
  public BlockOptions withLayerScale(float gain) {
    return new BlockOptions(
        features,
        heads,
        hidden,
        precision,
        causal,
        Optional.of(gain),
        dropout,
        stochasticDepth,
        recompute);
  }

  /**
   * The same with dropout on the results of both branches.
   *
   * @param rate the part to drop, from 0 to less than 1
   * @return the options
   */
  public BlockOptions withDropout(float rate) {
    return new BlockOptions(
        features, heads, hidden, precision, causal, layerScale, rate, stochasticDepth, recompute);
  }

  /**
   * The same with stochastic depth of both branches.
   *
   * @param rate the part of the sequences to leave out, from 0 to less than 1
   * @return the options
   */
  public BlockOptions withStochasticDepth(float rate) {
    return new BlockOptions(
        features, heads, hidden, precision, causal, layerScale, dropout, rate, recompute);
  }

  /**
   * The same with gradient checkpointing: less memory for one more forward pass.
   *
   * @return the options
   */
  public BlockOptions withRecompute() {
    return new BlockOptions(
        features, heads, hidden, precision, causal, layerScale, dropout, stochasticDepth, true);
  }
}
