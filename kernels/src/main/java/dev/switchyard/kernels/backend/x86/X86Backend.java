package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.emitted.EmittedBackend;
import dev.switchyard.kernels.backend.emitted.Unavailable;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Finds out what can run here. */
public final class X86Backend {
  /** The name of the backend on the best instruction set; {@code x86-avx2} and so on force one. */
  public static final String NAME = "x86";

  /** Backends that somebody uses are shared: code and self-test once, freed with the last user. */
  private static final Map<String, WeakReference<EmittedBackend>> IN_USE = new HashMap<>();

  private X86Backend() {}

  /**
   * The backend for this machine, each kernel tested once.
   *
   * @param name {@link #NAME}, followed by {@code -} and an instruction set to force one
   * @param portable supplies what is not emitted
   * @return the backend
   * @throws Unavailable if it cannot run here, with the reason
   */
  public static EmittedBackend create(String name, Backend portable) throws Unavailable {
    synchronized (IN_USE) {
      WeakReference<EmittedBackend> shared = IN_USE.get(name);
      EmittedBackend backend = shared == null ? null : shared.get();
      if (backend == null) {
        backend = tryToMake(name, portable);
        IN_USE.put(name, new WeakReference<>(backend));
      }
      return backend;
    }
  }

  /** Whatever goes wrong at the start, there is a backend that needs none of this. */
  public static EmittedBackend tryToMake(String name, Backend portable) throws Unavailable {
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

  private static EmittedBackend make(String name, Backend portable) throws Unavailable {
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
    InstructionSet set = choose(name, cpu);
    boolean bfloat16 = cpu.bfloat16() && set.hasEvex();
    return new EmittedBackend(name, portable, new X86Target(set, bfloat16, cpu.l2Bytes()));
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
}
