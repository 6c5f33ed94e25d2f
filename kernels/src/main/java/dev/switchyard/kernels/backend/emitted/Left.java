package dev.switchyard.kernels.backend.emitted;

/** How the rows of A lie. */
public enum Left {
  /** Row-major, {@code A_STRIDE} bytes apart. */
  ROWS,
  /**
   * Tile by tile, {@code A_STRIDE} bytes apart; in a tile group by group, a vector each, which the
   * rows of the tile fill from its start.
   */
  PACKED
}
