package dev.switchyard.layers;

import java.util.List;

/**
 * What {@link Precisions#release} did.
 *
 * @param released names of the linear layers that have int8 panels alone now
 * @param kept names of those that still have their weight, each with the reason
 * @param bytesBefore what the weights of the released layers took as floats
 * @param bytesAfter what their panels take
 */
public record Release(List<String> released, List<String> kept, long bytesBefore, long bytesAfter) {
  /** Takes copies. */
  public Release {
    released = List.copyOf(released);
    kept = List.copyOf(kept);
  }
}
