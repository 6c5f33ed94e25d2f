package dev.switchyard.kernels;

import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.reference.ReferenceBackend;
import dev.switchyard.kernels.backend.vector.VectorBackend;
import java.util.Locale;

/**
 * Which backend computes, and why. {@link #automatic()} honours {@code
 * -Dswitchyard.backend=reference|vector} and otherwise takes the fastest that this JVM can run.
 * Immutable and thread-safe.
 */
public final class BackendChoice {
  /** The system property that forces a backend. */
  public static final String PROPERTY = "switchyard.backend";

  private static final String VECTOR_MODULE = "jdk.incubator.vector";
  private static final System.Logger LOG = System.getLogger("dev.switchyard.kernels");

  private final Backend backend;
  private final String reason;

  private BackendChoice(Backend backend, String reason) {
    this.backend = backend;
    this.reason = reason;
  }

  /**
   * The backend that the system property names, or else the fastest that this JVM can run. Where
   * that is the reference backend, one warning says which flag is missing.
   *
   * @return the choice
   * @throws IllegalArgumentException if the property names no backend
   * @throws IllegalStateException if the named backend cannot run here, with the reason
   */
  public static BackendChoice automatic() {
    return Automatic.choice();
  }

  /**
   * A backend by name.
   *
   * @param name {@code reference} or {@code vector}
   * @return the choice
   * @throws IllegalArgumentException if there is no such backend
   * @throws IllegalStateException if it cannot run here, with the reason
   */
  public static BackendChoice named(String name) {
    return named(name, "asked for by name");
  }

  private static BackendChoice named(String name, String why) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "reference" -> new BackendChoice(new ReferenceBackend(), why);
      case "vector" -> {
        if (!vectorModulePresent()) {
          throw new IllegalStateException(
              "backend vector cannot run: start the JVM with --add-modules " + VECTOR_MODULE);
        }
        yield new BackendChoice(Vector.create(), why);
      }
      default ->
          throw new IllegalArgumentException(
              "unknown backend \"" + name + "\" (expected reference or vector)");
    };
  }

  private static boolean vectorModulePresent() {
    return ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
  }

  /**
   * The backend's name.
   *
   * @return {@code reference} or {@code vector}
   */
  public String name() {
    return backend.name();
  }

  /**
   * What was chosen and why, in one sentence.
   *
   * @return such as {@code vector (512-bit JDK Vector API): the fastest that this JVM can run}
   */
  public String reason() {
    return name() + " (" + backend.description() + "): " + reason;
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
      }
      return choice;
    }

    private static BackendChoice choose() {
      String forced = System.getProperty(PROPERTY);
      if (forced != null) {
        return named(forced, "forced by -D" + PROPERTY);
      }
      if (vectorModulePresent()) {
        return named("vector", "the fastest that this JVM can run");
      }
      String reason = "module " + VECTOR_MODULE + " is missing";
      LOG.log(
          System.Logger.Level.WARNING,
          "Switchyard runs on its slow reference backend, because {0}: add --add-modules {1}",
          reason,
          VECTOR_MODULE);
      return named("reference", reason);
    }
  }
}
