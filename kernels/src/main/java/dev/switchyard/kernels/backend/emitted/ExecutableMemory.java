package dev.switchyard.kernels.backend.emitted;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Turns bytes into code. The pages are mapped readable and writable, filled, and then made readable
 * and executable: at no time are they both writable and executable. They are unmapped when nothing
 * refers to them any more.
 */
@SuppressWarnings("restricted") // the backend has asked for native access
public final class ExecutableMemory {
  private static final int READ = 1;
  private static final int WRITE = 2;
  private static final int EXECUTE = 4;
  private static final int PRIVATE = 2;
  private static final long FAILED = -1;

  private ExecutableMemory() {}

  /**
   * Code at an address of its own.
   *
   * @param code the bytes, independent of where they lie
   * @return the pages; while they or a slice of them are reachable, they stay mapped
   * @throws Unavailable if the system refuses, with its reason
   */
  public static MemorySegment load(byte[] code) throws Unavailable {
    long length = code.length;
    MemorySegment pages = Calls.map(length, READ | WRITE);
    MemorySegment owned = pages.reinterpret(length, Arena.ofAuto(), Calls.unmapping(length));
    MemorySegment.copy(code, 0, owned, ValueLayout.JAVA_BYTE, 0, code.length);
    Calls.protect(pages, length, READ | EXECUTE);
    return owned.asReadOnly();
  }

  /** The C functions of Linux and macOS. */
  private static final class Calls {
    private static final int ANONYMOUS = isMac() ? 0x1000 : 0x20;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO_OF_STATE =
        STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle MMAP =
        handle(
            "mmap",
            FunctionDescriptor.of(
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG));
    private static final MethodHandle MPROTECT =
        handle(
            "mprotect",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));
    private static final MethodHandle MUNMAP =
        LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("munmap"),
            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));

    private static boolean isMac() {
      return System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("mac");
    }

    private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
      return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, ERRNO);
    }

    static MemorySegment map(long length, int protection) throws Unavailable {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocate(STATE);
        MemorySegment pages =
            (MemorySegment)
                MMAP.invokeExact(
                    state, MemorySegment.NULL, length, protection, PRIVATE | ANONYMOUS, -1, 0L);
        if (pages.address() == FAILED) {
          throw refused("a mapping of " + length + " bytes", state);
        }
        return pages;
      } catch (Throwable e) {
        throw failure(e);
      }
    }

    static void protect(MemorySegment pages, long length, int protection) throws Unavailable {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocate(STATE);
        if ((int) MPROTECT.invokeExact(state, pages, length, protection) != 0) {
          throw refused("to make " + length + " bytes of code executable", state);
        }
      } catch (Throwable e) {
        throw failure(e);
      }
    }

    /**
     * Unmaps pages of a length. An object of the JDK alone: its cleaner keeps it until the pages
     * are garbage, which they would never be if it led, over a class loader, back to them.
     */
    @SuppressWarnings("unchecked")
    static Consumer<MemorySegment> unmapping(long length) {
      MethodHandle unmap = MethodHandles.insertArguments(MUNMAP, 1, length);
      return MethodHandleProxies.asInterfaceInstance(Consumer.class, unmap);
    }

    private static Unavailable refused(String what, MemorySegment state) {
      int errno = (int) ERRNO_OF_STATE.get(state, 0L);
      return new Unavailable("the operating system refused " + what + " (errno " + errno + ")");
    }

    private static Unavailable failure(Throwable e) {
      return switch (e) {
        case Unavailable known -> known;
        case RuntimeException bug -> throw bug;
        case Error bug -> throw bug;
        default -> throw new AssertionError(e); // C functions throw nothing
      };
    }
  }
}
