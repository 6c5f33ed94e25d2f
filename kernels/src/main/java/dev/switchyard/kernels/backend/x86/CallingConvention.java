package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.x86.asm.Assembler;
import dev.switchyard.kernels.backend.x86.asm.Gp;
import java.util.List;

/**
 * How emitted functions take four addresses and return nothing, by the System V convention of Linux
 * and macOS. Another convention (that of Windows passes four arguments in registers too) is another
 * order of {@link #ARGUMENTS} and {@link #SCRATCH}, and more registers to save in {@link #enter}.
 */
final class CallingConvention {
  /** Where the arguments arrive. */
  static final List<Gp> ARGUMENTS = List.of(Gp.RDI, Gp.RSI, Gp.RDX, Gp.RCX);

  /** Free to overwrite. */
  static final List<Gp> SCRATCH = List.of(Gp.RAX, Gp.R8, Gp.R9, Gp.R10, Gp.R11);

  /** Free to overwrite between {@link #enter} and {@link #leave}. */
  static final List<Gp> SAVED = List.of(Gp.RBX, Gp.RBP, Gp.R12, Gp.R13, Gp.R14, Gp.R15);

  private CallingConvention() {}

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
