package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.layers.Profile;
import java.util.Set;

/** A library to compare with. For use by the thread that made it, as its thread count is. */
public interface Peer {
  /** The name in reports, such as {@code onednn}. */
  String name();

  /** The name for people, with the version, such as {@code oneDNN 3.11}. */
  String description();

  /** The types of products that it computes on this CPU, int8 only with sums that are exact. */
  Set<ElementType> types();

  /**
   * Prepares Y = X W^T + bias: copies the operands to native memory, and packs W if the library has
   * a layout of its own.
   *
   * @param type one of {@link #types}
   * @param x [m, k]: a FloatMatrix, a Bfloat16Matrix or a QuantizedMatrix with scaling TENSOR, as
   *     {@code type} says
   * @param w [n, k], of the same kind
   * @param bias n values
   */
  PeerProduct product(ElementType type, Matrix x, Matrix w, float[] bias);

  /**
   * Prepares a training step of a linear layer.
   *
   * @param type FLOAT32, or BFLOAT16 if it is one of {@link #types}
   * @param operands copied to native memory, as 32-bit floats
   * @param profile receives the time by part; conversions to bfloat16 count as {@code QUANTIZE}
   */
  LinearStep step(ElementType type, LinearOperands operands, Profile profile);
}
