package dev.switchyard.kernels.backend.emitted;

/** Where elements that are packed go. */
public enum Layout {
  /** A panel of B from rows that are columns of the product. */
  TRANSPOSED_PANEL,
  /** Panels of B from rows of k. */
  INTERLEAVED_PANELS,
  /** Packed tiles of A from rows of k. */
  INTERLEAVED_TILES,
  /** Row by row as they are, converted. */
  ROWS
}
