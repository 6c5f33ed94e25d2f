package dev.switchyard.kernels.backend;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.PeakLoop;
import java.util.Optional;

/** A set of kernels for one kind of machine. Implementations are stateless and thread-safe. */
public interface Backend {
  /** The name by which a user chooses it. */
  String name();

  /** A sentence on what it runs on, such as the vector width. */
  String description();

  MatmulKernel matmul();

  QuantizeKernel quantize();

  ElementwiseKernel elementwise();

  default ActivationKernel activations() {
    return new ActivationKernel() {};
  }

  /** The peak of products of a type, where the backend knows its instructions. */
  default Optional<PeakLoop> peak(ElementType type) {
    return Optional.empty();
  }
}
