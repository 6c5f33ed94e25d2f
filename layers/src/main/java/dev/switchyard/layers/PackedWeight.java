package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.PackedMatrix;

/**
 * A weight in the layout of one product, kept from step to step until the weight changes. From when
 * the panels are asked for to be filled until they are marked as packed, they are of no weight.
 */
final class PackedWeight {
  private static final long NONE = -1;

  private PackedMatrix panels = new PackedMatrix();
  private long version = NONE;
  private String backend;

  /** The panels, unless they are stale. */
  PackedMatrix panels() {
    return panels;
  }

  /** The panels, to be filled. */
  PackedMatrix toFill() {
    version = NONE;
    return panels;
  }

  /**
   * Whether the weight has changed since it was packed, or is needed in another backend's layout.
   */
  boolean isStale(Parameter weight, Kernels kernels) {
    return weight.version() != version || !kernels.backend().name().equals(backend);
  }

  void markPacked(Parameter weight, Kernels kernels) {
    backend = kernels.backend().name();
    version = weight.version();
  }

  /** Lets go of the panels. */
  void clear() {
    panels = new PackedMatrix();
    version = NONE;
  }
}
