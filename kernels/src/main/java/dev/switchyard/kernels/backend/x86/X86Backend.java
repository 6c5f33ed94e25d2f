package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.ElementwiseKernel;
import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.QuantizeKernel;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.PeakLoop;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Products and quantization in machine code that this library emits; the rest on a portable
 * backend.
 */
public final class X86Backend implements Backend {
  /** The name of the backend on the best instruction set; {@code x86-avx2} and so on force one. */
  public static final String NAME = "x86";

  /** Backends that somebody uses are shared: code and self-test once, freed with the last user. */
  private static final Map<String, WeakReference<X86Backend>> IN_USE = new HashMap<>();

  /** About 50 us: a call holds the collector back. */
  private static final int PEAK_TURNS = 10_000;

  private final String name;
  private final Backend portable;
  private final EmittedCode code;
  private final X86Matmul matmul;
  private final QuantizeKernel quantize;
  private final String description;

  private X86Backend(String name, Backend portable, Cpu cpu, InstructionSet set)
      throws Unavailable {
    this.name = name;
    this.portable = portable;
    boolean bfloat16 = cpu.bfloat16() && set.hasEvex();
    code = new EmittedCode(set, bfloat16);
    matmul = new X86Matmul(code, cpu.l2Bytes());
    quantize = new X86Quantize(code, portable.quantize());
    SelfTest.run(matmul, quantize, set);
    description = set.label() + (bfloat16 ? " with bfloat16" : "") + " machine code";
  }

  /**
   * The backend for this machine, each kernel tested once.
   *
   * @param name {@link #NAME}, followed by {@code -} and an instruction set to force one
   * @param portable supplies what is not emitted
   * @return the backend
   * @throws Unavailable if it cannot run here, with the reason
   */
  public static X86Backend create(String name, Backend portable) throws Unavailable {
    synchronized (IN_USE) {
      WeakReference<X86Backend> shared = IN_USE.get(name);
      X86Backend backend = shared == null ? null : shared.get();
      if (backend == null) {
        backend = tryToMake(name, portable);
        IN_USE.put(name, new WeakReference<>(backend));
      }
      return backend;
    }
  }

  /** Whatever goes wrong at the start, there is a backend that needs none of this. */
  static X86Backend tryToMake(String name, Backend portable) throws Unavailable {
    try {
      return make(name, portable);
    } catch (UncheckedIOException e) {
      throw e; // whoever asked for a dump of the code wants to know
    } catch (StackOverflowError | OutOfMemoryError e) {
      throw e; // says nothing about the machine: the next try may succeed
    } catch (RuntimeException | Error e) {
      throw new Unavailable("its start failed (" + e + ")", e);
    }
  }

  private static X86Backend make(String name, Backend portable) throws Unavailable {
    String architecture = System.getProperty("os.arch");
    if (!architecture.equals("amd64") && !architecture.equals("x86_64")) {
      throw new Unavailable("the processor is " + architecture + ", not x86-64");
    }
    String system = System.getProperty("os.name");
    if (!system.startsWith("Linux") && !system.startsWith("Mac")) {
      throw new Unavailable("emitted code does not know the calling convention of " + system);
    }
    Module module = X86Backend.class.getModule();
    if (!module.isNativeAccessEnabled()) {
      throw new Unavailable(
          "native access is not enabled: add --enable-native-access="
              + (module.isNamed() ? module.getName() : "ALL-UNNAMED"));
    }
    Cpu cpu = Cpu.detect();
    return new X86Backend(name, portable, cpu, choose(name, cpu));
  }

  private static InstructionSet choose(String name, Cpu cpu) throws Unavailable {
    if (cpu.sets().isEmpty()) {
      throw new Unavailable(
          cpu.name()
              + " lacks AVX2 and FMA, or the operating system does not save their registers");
    }
    if (name.equals(NAME)) {
      return cpu.sets().iterator().next(); // the best comes first
    }
    for (InstructionSet set : cpu.sets()) {
      if (name.equals(NAME + "-" + set.label())) {
        return set;
      }
    }
    throw new Unavailable(
        String.format(
            Locale.ROOT,
            "%s asks for instructions that %s does not have (expected one of %s)",
            name,
            cpu.name(),
            cpu.sets().stream().map(set -> NAME + "-" + set.label()).toList()));
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
  public Optional<PeakLoop> peak(ElementType type) {
    Dot dot = code.dot(type);
    InstructionSet set = code.set();
    return Optional.of(
        new PeakLoop(
            set.mnemonic(dot),
            PEAK_TURNS * PeakGenerator.operations(set, dot),
            () -> code.peak(dot, PEAK_TURNS)));
  }
}
