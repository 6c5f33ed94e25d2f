package dev.switchyard.bench.soak;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Linux refuses to this process from some moment on. */
@SuppressWarnings("restricted") // started with native access
final class SystemLimits {
  private static final int RLIMIT_FSIZE = 1;
  private static final long UNLIMITED = -1;

  private static final int PR_SET_MDWE = 65;
  private static final long PR_MDWE_REFUSE_EXEC_GAIN = 1;

  private static final Linker LINKER = Linker.nativeLinker();

  private SystemLimits() {}

  static boolean canLimitFiles() {
    return System.getProperty("os.name").startsWith("Linux");
  }

  /** Linux has known how since version 6.3. */
  static boolean canRefuseExecutableMemory() {
    Matcher version =
        Pattern.compile("(\\d+)\\.(\\d+).*").matcher(System.getProperty("os.version"));
    return canLimitFiles()
        && version.matches()
        && 1000 * Integer.parseInt(version.group(1)) + Integer.parseInt(version.group(2)) >= 6003;
  }

  /** Lets no file grow beyond so many bytes; the JVM ignores the signal that comes with it. */
  static void limitFiles(long bytes) {
    MethodHandle setrlimit =
        handle(
            "setrlimit",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment currentAndMost = arena.allocateFrom(ValueLayout.JAVA_LONG, bytes, UNLIMITED);
      require("setrlimit", (int) setrlimit.invokeExact(RLIMIT_FSIZE, currentAndMost));
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  /** Undoes {@link #limitFiles}. */
  static void unlimitFiles() {
    limitFiles(UNLIMITED);
  }

  /** Makes no more memory executable, for the rest of the life of this process. */
  static void refuseExecutableMemory() {
    MethodHandle prctl =
        handle(
            "prctl",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG),
            Linker.Option.firstVariadicArg(1));
    try {
      require("prctl", (int) prctl.invokeExact(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L));
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  private static MethodHandle handle(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, options);
  }

  private static void require(String function, int result) {
    if (result != 0) {
      throw new IllegalStateException(function + " returned " + result + " (expected 0)");
    }
  }

  private static RuntimeException failure(Throwable e) {
    return switch (e) {
      case RuntimeException known -> known;
      case Error error -> throw error;
      default -> throw new AssertionError(e); // C functions throw nothing
    };
  }
}
