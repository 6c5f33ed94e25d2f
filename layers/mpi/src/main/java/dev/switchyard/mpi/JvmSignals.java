package dev.switchyard.mpi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The handlers by which the JVM notices null references and more. Libraries below MPI, such as UCX,
 * put their own in the place, which end the process at the first null reference.
 */
@SuppressWarnings("restricted") // Mpi has asked for native access
final class JvmSignals {
  private static final boolean MAC = System.getProperty("os.name").startsWith("Mac");
  private static final int[] SIGNALS = {4, MAC ? 10 : 7, 8, 11}; // SIGILL, SIGBUS, SIGFPE, SIGSEGV
  private static final int ACTION_BYTES = 256; // more than struct sigaction has anywhere

  private final MethodHandle sigaction;
  private final MemorySegment actions =
      Arena.ofAuto().allocate((long) SIGNALS.length * ACTION_BYTES, Long.BYTES);

  /** Those of now. */
  JvmSignals() {
    Linker linker = Linker.nativeLinker();
    sigaction =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("sigaction"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
    for (int i = 0; i < SIGNALS.length; i++) {
      call(SIGNALS[i], MemorySegment.NULL, action(i));
    }
  }

  /** Puts them back. */
  void restore() {
    for (int i = 0; i < SIGNALS.length; i++) {
      call(SIGNALS[i], action(i), MemorySegment.NULL);
    }
  }

  private MemorySegment action(int index) {
    return actions.asSlice((long) index * ACTION_BYTES, ACTION_BYTES);
  }

  private void call(int signal, MemorySegment set, MemorySegment get) {
    try {
      int failed = (int) sigaction.invokeExact(signal, set, get);
      if (failed != 0) {
        throw new CollectiveException("the handler of signal " + signal + " cannot be changed");
      }
    } catch (CollectiveException e) {
      throw e;
    } catch (Throwable e) {
      throw new CollectiveException("sigaction cannot be called: " + e, e);
    }
  }
}
