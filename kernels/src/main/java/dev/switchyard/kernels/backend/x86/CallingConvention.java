package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.x86.asm.Assembler;
import dev.switchyard.kernels.backend.x86.asm.Gp;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * How Java enters emitted code: a function of four addresses that returns nothing, by the System V
 * convention of Linux and macOS. Another convention (that of Windows passes four arguments in
 * registers too) is another order of {@link #ARGUMENTS} and {@link #SCRATCH}, and more registers to
 * save in {@link #enter}.
 */
final class CallingConvention {
  /** Where the arguments arrive. */
  static final List<Gp> ARGUMENTS = List.of(Gp.RDI, Gp.RSI, Gp.RDX, Gp.RCX);

  /** Free to overwrite. */
  static final List<Gp> SCRATCH = List.of(Gp.RAX, Gp.R8, Gp.R9, Gp.R10, Gp.R11);

  /** Free to overwrite between {@link #enter} and {@link #leave}. */
  static final List<Gp> SAVED = List.of(Gp.RBX, Gp.RBP, Gp.R12, Gp.R13, Gp.R14, Gp.R15);

  /**
   * {@code (address of the code, four addresses) -> void}. Critical: arrays are passed without a
   * copy, and hold the collector back until the call returns.
   */
  @SuppressWarnings("restricted") // X86Backend has asked for native access
  private static final MethodHandle CALL =
      Linker.nativeLinker()
          .downcallHandle(
              FunctionDescriptor.ofVoid(
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS),
              Linker.Option.critical(true));

  private CallingConvention() {}

  /** Runs emitted code. Who calls has checked that the code stays within what it is given. */
  static void call(
      MemorySegment code, MemorySegment a, MemorySegment b, MemorySegment c, MemorySegment d) {
    try {
      CALL.invokeExact(code, a, b, c, d);
    } catch (RuntimeException | Error e) {
      throw e; // such as memory that was freed
    } catch (Throwable e) {
      throw new AssertionError(e); // emitted code throws nothing
    }
  }

  /** Saves what the caller must find unchanged. */
  static void enter(Assembler asm) {
    SAVED.forEach(asm::push);
  }

  /** Restores it and returns. */
  static void leave(Assembler asm) {
    asm.vzeroupper();
    SAVED.reversed().forEach(asm::pop);
    asm.ret();
  }
}
