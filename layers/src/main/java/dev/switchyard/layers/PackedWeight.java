package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.PackedMatrix;

/**
 * A weight in the layout of one product, kept from step to step until the weight changes. From when
 * the panels are asked for to be filled until they are marked as packed, they are of no weight. For
 * use by one thread at a time, by {@link LinearProducts}.
 */
public final class PackedWeight {
  private static final long NONE = -1;

  private PackedMatrix panels = new PackedMatrix();
  private long version = NONE;
  private String backend;

  /** A weight that is not packed yet. */
  public PackedWeight() {}

  /**
   * The panels, unless they are stale.
   *
   * @return the panels themselves
   */
  public PackedMatrix panels() {
    return panels;
  }

  /**
   * The panels, to be filled.
   *
   * @return the panels themselves, which are stale from now on
   */
  public PackedMatrix toFill() {
    version = NONE;
    return panels;
  }

  /**
   * Whether the weight has changed since it was packed, or is needed in another backend's layout.
   *
   * @param weight which
   * @param kernels what will compute
   * @return whether to pack it, before it is computed with
   */
  public boolean isStale(Parameter weight, Kernels kernels) {
    return weight.version() != version || !kernels.backend().name().equals(backend);
  }

  /**
   * Says that the panels are those of the weight as it is.
   *
   * @param weight which
   * @param kernels what has packed it
   */
  public void markPacked(Parameter weight, Kernels kernels) {
    backend = kernels.backend().name();
    version = weight.version();
  }

  /** Lets go of the panels. */
  public void clear() {
    panels = new PackedMatrix();
    version = NONE;
  }
}
