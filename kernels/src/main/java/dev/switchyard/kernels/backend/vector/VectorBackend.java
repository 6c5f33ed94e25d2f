package dev.switchyard.kernels.backend.vector;

import dev.switchyard.kernels.backend.ActivationKernel;
import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.ElementwiseKernel;
import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.QuantizeKernel;

/** Portable SIMD at the width that the JDK prefers. */
public final class VectorBackend implements Backend {
  private final MatmulKernel matmul = new VectorMatmul();
  private final QuantizeKernel quantize = new VectorQuantize();
  private final ElementwiseKernel elementwise = new VectorElementwise();
  private final ActivationKernel activations = new VectorActivations();

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public String description() {
    return Species.FLOAT.vectorBitSize() + "-bit JDK Vector API";
  }

  @Override
  public MatmulKernel matmul() {
    return matmul;
  }

  @Override
  public QuantizeKernel quantize() {
    return quantize;
  }

  @Override
  public ElementwiseKernel elementwise() {
    return elementwise;
  }

  @Override
  public ActivationKernel activations() {
    return activations;
  }
}
