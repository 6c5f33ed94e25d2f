package dev.switchyard.kernels;

import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.emitted.Unavailable;
import dev.switchyard.kernels.backend.reference.ReferenceBackend;
import dev.switchyard.kernels.backend.vector.VectorBackend;
import dev.switchyard.kernels.backend.x86.X86Backend;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.PeakLoop;
import dev.switchyard.kernels.stack.StackProbe;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * Which backend computes, and why. {@link #automatic()} honours {@code
 * -Dswitchyard.backend=reference|vector|x86} and otherwise takes the fastest that this JVM can run.
 * Immutable and thread-safe.
 */
public final class BackendChoice {
  /** The system property that forces a backend. */
  public static final String PROPERTY = "switchyard.backend";

  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  private final Backend backend;
  private final String reason;

  private BackendChoice(Backend backend, String reason) {
    this.backend = backend;
    this.reason = reason;
  }

  /**
   * The backend that the system property names, or else the fastest that this JVM can run: {@code
   * x86}, then {@code vector}, then {@code reference}. Each step down is logged once, with its
   * reason.
   *
   * @return the choice
   * @throws IllegalArgumentException if the property names no backend
   * @throws IllegalStateException if the named backend cannot run here, with the reason
   */
  public static BackendChoice automatic() {
    StackProbe.requireForOthers();
    return Automatic.choice();
  }

  /**
   * A backend by name.
   *
   * @param name {@code reference}, {@code vector} or {@code x86}; {@code x86-amx}, {@code
   *     x86-avx512}, {@code x86-avx_vnni} or {@code x86-avx2} to force an instruction set
   * @return the choice
   * @throws IllegalArgumentException if there is no such backend
   * @throws IllegalStateException if it cannot run here, with the reason
   */
  public static BackendChoice named(String name) {
    StackProbe.requireForOthers();
    return named(name, "asked for by name");
  }

  private static BackendChoice named(String name, String why) {
    String lower = name.toLowerCase(Locale.ROOT);
    return switch (lower) {
      case "reference" -> new BackendChoice(new ReferenceBackend(), why);
      case "vector" -> {
        if (!vectorModulePresent()) {
          throw new IllegalStateException(
              "backend vector cannot run: start the JVM with --add-modules " + VECTOR_MODULE);
        }
        yield new BackendChoice(Vector.create(), why);
      }
      case X86Backend.NAME, "x86-amx", "x86-avx512", "x86-avx_vnni", "x86-avx2" -> {
        try {
          yield new BackendChoice(X86Backend.create(lower, portable()), why);
        } catch (Unavailable e) {
          throw new IllegalStateException("backend " + lower + " cannot run: " + e.getMessage(), e);
        }
      }
      default ->
          throw new IllegalArgumentException(
              "unknown backend \""
                  + name
                  + "\" (expected reference, vector or x86; or x86-amx, x86-avx512, x86-avx_vnni or"
                  + " x86-avx2 to force an instruction set)");
    };
  }

  /** The next best where machine code is missing; never fails but on a full stack or heap. */
  private static Backend portable() {
    if (vectorModulePresent()) {
      try {
        return Vector.create();
      } catch (RuntimeException | LinkageError e) { // the module is not yet a stable part of Java
        warn("Switchyard runs on its slow reference backend, because vectors failed: " + e);
      }
    }
    return new ReferenceBackend();
  }

  private static void warn(String sentence) {
    log().log(System.Logger.Level.WARNING, sentence);
  }

  private static System.Logger log() {
    return System.getLogger("dev.switchyard.kernels");
  }

  private static boolean vectorModulePresent() {
    return ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
  }

  /**
   * The backend's name.
   *
   * @return as in {@link #named}
   */
  public String name() {
    return backend.name();
  }

  /**
   * What was chosen and why, in one sentence, and whether this JVM makes the JDK Vector API slow.
   *
   * @return such as {@code vector (512-bit JDK Vector API): forced by -Dswitchyard.backend}
   */
  public String reason() {
    String choice = name() + " (" + backend.description() + "): " + reason;
    return slowVectors().map(slow -> choice + "; " + slow).orElse(choice);
  }

  /**
   * The peak of products of a type: the instruction that computes them, on registers alone.
   *
   * @param type of the operands
   * @return what to run and to time, empty where the backend does not know which instructions it
   *     becomes
   */
  public Optional<PeakLoop> peak(ElementType type) {
    return backend.peak(Objects.requireNonNull(type, "type"));
  }

  private Optional<String> slowVectors() {
    return vectorModulePresent() && !name().equals("reference")
        ? JitCompiler.slowsVectors().map(why -> "vectors are slow in this JVM, since " + why)
        : Optional.empty();
  }

  Backend backend() {
    return backend;
  }

  @Override
  public String toString() {
    return reason();
  }

  /** Touched only when the module is there: its classes do not load without it. */
  private static final class Vector {
    static Backend create() {
      return new VectorBackend();
    }
  }

  /**
   * Chosen once a JVM, so that the warning comes once. Not in a static initializer, which would
   * wrap the exception that a wrong property deserves in an error that does not say what is wrong.
   */
  private static final class Automatic {
    private static BackendChoice choice;

    static synchronized BackendChoice choice() {
      if (choice == null) {
        choice = choose();
        choice.slowVectors().ifPresent(slow -> warn("Switchyard: " + slow));
      }
      return choice;
    }

    private static BackendChoice choose() {
      String forced = System.getProperty(PROPERTY);
      if (forced != null) {
        return named(forced, "forced by -D" + PROPERTY);
      }
      String missing = "module " + VECTOR_MODULE + " is missing";
      String hint = missing + ": add --add-modules " + VECTOR_MODULE;
      try {
        Backend x86 = X86Backend.create(X86Backend.NAME, portable());
        if (!vectorModulePresent()) {
          warn("Switchyard runs all but products on its slow reference backend, because " + hint);
        }
        return new BackendChoice(x86, "the fastest that this JVM can run");
      } catch (Unavailable e) {
        String reason = "no machine code, because " + e.getMessage();
        if (vectorModulePresent()) {
          log().log(System.Logger.Level.INFO, "Switchyard emits {0}", reason);
          return new BackendChoice(portable(), reason);
        }
        warn("Switchyard runs on its slow reference backend, because " + hint);
        return named("reference", missing + "; " + reason);
      }
    }
  }
}
