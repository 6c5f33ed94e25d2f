package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.backend.ActivationKernel;
import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.ElementwiseKernel;
import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.QuantizeKernel;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.PeakLoop;
import java.util.Optional;

/**
 * Products and quantization in machine code that this library emits; the rest on a portable
 * backend.
 */
public final class EmittedBackend implements Backend {
  /** About 50 us: a call holds the collector back. */
  private static final int PEAK_TURNS = 10_000;

  private final String name;
  private final Backend portable;
  private final EmittedCode code;
  private final MatmulKernel matmul;
  private final QuantizeKernel quantize;
  private final String description;

  /**
   * Emits the code and tests each kernel once.
   *
   * @param portable supplies what is not emitted
   * @throws Unavailable if it cannot run here, with the reason
   */
  public EmittedBackend(String name, Backend portable, Target target) throws Unavailable {
    this.name = name;
    this.portable = portable;
    code = new EmittedCode(target);
    matmul = new EmittedMatmul(code);
    quantize = new EmittedQuantize(code, portable.quantize());
    SelfTest.run(matmul, quantize, target);
    description = target.label() + (target.hasBfloat16() ? " with bfloat16" : "") + " machine code";
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String description() {
    return description;
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
    return portable.elementwise();
  }

  @Override
  public ActivationKernel activations() {
    return portable.activations();
  }

  @Override
  public Optional<PeakLoop> peak(ElementType type) {
    Target target = code.target();
    Dot dot = target.dot(type);
    return Optional.of(
        new PeakLoop(
            target.mnemonic(dot),
            PEAK_TURNS * target.peakOperations(dot),
            () -> code.peak(dot, PEAK_TURNS)));
  }
}
