package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.PackedMatrix;

/** A weight in the layout of one product, kept from step to step until the weight changes. */
final class PackedWeight {
  private PackedMatrix panels = new PackedMatrix();
  private long version = -1;
  private String backend;

  /** The panels, to be filled if stale. */
  PackedMatrix panels() {
    return panels;
  }

  /**
   * Whether the weight has changed since it was packed, or is needed in another backend's layout.
   */
  boolean isStale(Parameter weight, Kernels kernels) {
    return weight.version() != version || !kernels.backend().name().equals(backend);
  }

  void markPacked(Parameter weight, Kernels kernels) {
    version = weight.version();
    backend = kernels.backend().name();
  }

  /** Lets go of the panels. */
  void clear() {
    panels = new PackedMatrix();
    version = -1;
  }
}
