package dev.switchyard.layers.coda;

import dev.switchyard.layers.Precision;

/**
 * What a {@link ConditionalAdapter} is like. Immutable: start from {@link #of} and change what
 * differs.
 *
 * @param router how tokens are chosen
 * @param reduction tokens for each chosen one, from 1
 * @param attention which tokens attend to which
 * @param gate how the weights of chosen tokens act
 * @param softTopK how {@link RouterKind#SOFT_TOP_K} weighs
 * @param bottleneck features inside the adapter
 * @param scale what the adapter's result is multiplied by
 * @param normalize whether adapter and router look at layer-normalized tokens, or at those that
 *     come
 * @param dropout the part of the adapter's result that is dropped while training
 * @param precision of the adapter's linear layers; the heavy branch keeps its own
 */
public record CodaOptions(
    RouterKind router,
    double reduction,
    HeavyAttention attention,
    Gate gate,
    SoftTopK softTopK,
    int bottleneck,
    float scale,
    boolean normalize,
    float dropout,
    Precision precision) {
  private static final int BOTTLENECK = 64; // of CoDA's models for text

  /**
   * Checks the numbers that nobody else checks.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public CodaOptions {
    if (!(Float.isFinite(scale) && scale != 0)) {
      throw new IllegalArgumentException("scale is " + scale + " (expected a number but 0)");
    }
    new Capacity(reduction);
  }

  /**
   * Soft top-k with eps 1 and gates that scale, attention of the chosen tokens to all, a bottleneck
   * of 64 and no dropout.
   *
   * @param reduction tokens for each chosen one, from 1
   * @param precision of the adapter's linear layers
   * @return the options
   */
  public static CodaOptions of(double reduction, Precision precision) {
    return new CodaOptions(
        RouterKind.SOFT_TOP_K,
        reduction,
        HeavyAttention.CHOSEN_TO_ALL,
        Gate.SCALE,
        SoftTopK.exact(1),
        BOTTLENECK,
        1,
        true,
        0,
        precision);
  }

  /**
   * The same with another router.
   *
   * @param newRouter how tokens are chosen
   * @return the options
   */
  public CodaOptions withRouter(RouterKind newRouter) {
    return new CodaOptions(
        newRouter,
        reduction,
        attention,
        gate,
        softTopK,
        bottleneck,
        scale,
        normalize,
        dropout,
        precision);
  }

  /**
   * The same with other attention.
   *
   * @param newAttention which tokens attend to which
   * @return the options
   */
  public CodaOptions withAttention(HeavyAttention newAttention) {
    return new CodaOptions(
        router,
        reduction,
        newAttention,
        gate,
        softTopK,
        bottleneck,
        scale,
        normalize,
        dropout,
        precision);
  }

  /**
   * The same with other gates and weights.
   *
   * @param newGate how the weights of chosen tokens act
   * @param newSoftTopK how soft top-k weighs
   * @return the options
   */
  public CodaOptions withGate(Gate newGate, SoftTopK newSoftTopK) {
    return new CodaOptions(
        router,
        reduction,
        attention,
        newGate,
        newSoftTopK,
        bottleneck,
        scale,
        normalize,
        dropout,
        precision);
  }

  /**
   * The same with another adapter.
   *
   * @param newBottleneck features inside it
   * @param newScale what its result is multiplied by
   * @param newNormalize whether it looks at layer-normalized tokens
   * @param newDropout the part of its result that is dropped while training
   * @return the options
   */
  public CodaOptions withAdapter(
      int newBottleneck, float newScale, boolean newNormalize, float newDropout) {
    return new CodaOptions(
        router,
        reduction,
        attention,
        gate,
        softTopK,
        newBottleneck,
        newScale,
        newNormalize,
        newDropout,
        precision);
  }

  /**
   * The same with another reduction.
   *
   * @param newReduction tokens for each chosen one, from 1
   * @return the options
   */
  public CodaOptions withReduction(double newReduction) {
    return new CodaOptions(
        router,
        newReduction,
        attention,
        gate,
        softTopK,
        bottleneck,
        scale,
        normalize,
        dropout,
        precision);
  }
}
