package dev.switchyard.layers.coda;

/** How far a chosen token goes through the heavy branch, by its weight w. */
public enum Gate {
  /** As far as w says: what the branch adds is multiplied by it (CoDA). */
  SCALE,

  /**
   * All the way, with the gradient of w: a pretrained layer computes what it always did, and the
   * router learns all the same (Bengio et al. 2013).
   */
  STRAIGHT_THROUGH
}
