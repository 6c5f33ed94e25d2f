package dev.switchyard.kernels.backend;

/** A set of kernels for one kind of machine. Implementations are stateless and thread-safe. */
public interface Backend {
  /** The name by which a user chooses it. */
  String name();

  /** A sentence on what it runs on, such as the vector width. */
  String description();

  MatmulKernel matmul();

  QuantizeKernel quantize();

  ElementwiseKernel elementwise();
}
