package dev.switchyard.bench;

import dev.switchyard.bench.data.DataException;
import dev.switchyard.bench.data.Reason;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.mpi.CollectiveException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What a command says in a line when it fails. */
final class Failures {
  /** The system property that asks for the stack trace as well. */
  static final String STACK_TRACE = "switchyard.stacktrace";

  private static final int MEBIBYTE = 1 << 20;
  private static final int MOST_CAUSES = 100; // of one that is its own

  private Failures() {}

  static String sentence(Throwable error) {
    return text(error).strip().replaceAll("\\s*\\R\\s*", " ");
  }

  private static String text(Throwable error) {
    Optional<Throwable> memory =
        causes(error).filter(OutOfMemoryError.class::isInstance).findFirst();
    if (memory.isPresent()) {
      String what = String.valueOf(memory.get().getMessage());
      if (what.contains("native thread")) { // of which a larger heap would leave fewer
        return what + " (expected fewer --threads, or a higher limit of the system)";
      }
      long mebibytes = Runtime.getRuntime().maxMemory() / MEBIBYTE;
      return String.format(
          Locale.ROOT,
          "there is not enough memory: the JVM may use %,d MiB (expected more: set"
              + " SWITCHYARD_JAVA_OPTS=-Xmx%dm, or make it less work)",
          mebibytes,
          4 * mebibytes);
    }
    return switch (error) {
      case DataException e -> e.getMessage();
      case CollectiveException e -> e.getMessage();
      case NonFiniteException e -> e.getMessage(); // a training that diverged
      case UncheckedIOException e when !e.getCause().toString().equals(e.getMessage()) ->
          e.getMessage();
      case UncheckedIOException e -> Reason.of(e.getCause());
      case IOException e -> Reason.of(e);
      default -> defect(error);
    };
  }

  private static String defect(Throwable error) {
    String place =
        Arrays.stream(error.getStackTrace()).findFirst().map(at -> " at " + at).orElse("");
    return String.format(
        Locale.ROOT,
        "this should not happen: %s%s (SWITCHYARD_JAVA_OPTS=-D%s=true shows more)",
        error,
        place,
        STACK_TRACE);
  }

  private static Stream<Throwable> causes(Throwable error) {
    return Stream.iterate(error, e -> e != null, Throwable::getCause).limit(MOST_CAUSES);
  }
}
