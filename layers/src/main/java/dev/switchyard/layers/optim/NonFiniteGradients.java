package dev.switchyard.layers.optim;

/**
 * What an optimizer does about a gradient that is infinite or NaN, or so large (from about 10^17
 * on) that its square is. It is never silent: {@link Optimizer#skipped()} counts what was skipped.
 */
public enum NonFiniteGradients {
  /** Refuse the step before any parameter is changed. */
  STOP,

  /**
   * Skip the update of that parameter alone, its moments and its count of steps included, as the
   * authors of SwitchBack do under float16.
   */
  SKIP
}
