package dev.switchyard.layers.coda;

/** Which tokens attend to which in the heavy branch. */
public enum HeavyAttention {
  /**
   * The chosen tokens attend to all. Keys and values are computed of every token: the better choice
   * where quality counts (Lei et al. 2023, section 3.2).
   */
  CHOSEN_TO_ALL,

  /** The chosen tokens attend to each other: nothing is computed of the others. */
  CHOSEN_TO_CHOSEN,

  /**
   * A router for queries, one for keys and values, and one for the feed-forward part, which may
   * choose different tokens (CoLT5, Ainslie et al. 2023, section 3.1). Queries of chosen tokens
   * attend to chosen keys, whose values are multiplied by their gates.
   */
  SEPARATE_ROUTERS
}
