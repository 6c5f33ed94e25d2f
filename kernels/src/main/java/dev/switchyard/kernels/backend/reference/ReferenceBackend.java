package dev.switchyard.kernels.backend.reference;

import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.ElementwiseKernel;
import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.QuantizeKernel;

/** Plain Java, one scalar at a time. */
public final class ReferenceBackend implements Backend {
  private final MatmulKernel matmul = new ReferenceMatmul();
  private final QuantizeKernel quantize = new ReferenceQuantize();
  private final ElementwiseKernel elementwise = new ReferenceElementwise();

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public String description() {
    return "plain Java";
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
}
