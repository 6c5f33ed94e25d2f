package dev.switchyard.kernels.backend.emitted;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** How Java enters emitted code: a function of four addresses that returns nothing. */
public final class NativeCall {
  /**
   * {@code (address of the code, four addresses) -> void}. Critical: arrays are passed without a
   * copy, and hold the collector back until the call returns.
   */
  @SuppressWarnings("restricted") // the backend has asked for native access
  private static final MethodHandle CALL =
      Linker.nativeLinker()
          .downcallHandle(
              FunctionDescriptor.ofVoid(
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS),
              Linker.Option.critical(true));

  private NativeCall() {}

  /** Runs emitted code. Who calls has checked that the code stays within what it is given. */
  public static void call(
      MemorySegment code, MemorySegment a, MemorySegment b, MemorySegment c, MemorySegment d) {
    try {
      CALL.invokeExact(code, a, b, c, d);
    } catch (RuntimeException | Error e) {
      throw e; // such as memory that was freed
    } catch (Throwable e) {
      throw new AssertionError(e); // emitted code throws nothing
    }
  }
}
