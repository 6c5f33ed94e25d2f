package dev.switchyard.kernels.backend.x86;

import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VBROADCASTSS;

import dev.switchyard.kernels.backend.emitted.Dot;
import dev.switchyard.kernels.backend.emitted.PeakArguments;
import dev.switchyard.kernels.backend.emitted.Target;
import dev.switchyard.kernels.backend.x86.asm.Assembler;
import dev.switchyard.kernels.backend.x86.asm.Gp;
import dev.switchyard.kernels.backend.x86.asm.Label;
import dev.switchyard.kernels.backend.x86.asm.Mem;
import dev.switchyard.kernels.backend.x86.asm.Vec;

/**
 * Emits a loop of dot instructions on registers: as many sums as a tile has, so that none waits for
 * itself, and no memory.
 */
final class PeakGenerator {
  private PeakGenerator() {}

  private static int sums(InstructionSet set) {
    return set.tileRows * Target.PANEL_VECTORS;
  }

  /** Emits the function {@code (arguments, unused, unused, unused)}. */
  static void emit(Assembler asm, InstructionSet set, Dot dot) {
    if (set.usesTiles(dot)) {
      AmxGenerator.emitPeak(asm, dot);
      return;
    }
    Gp arguments = CallingConvention.ARGUMENTS.get(0);
    Gp count = CallingConvention.SCRATCH.get(0);
    Vec left = new Vec(sums(set), set.vectorBytes);
    Vec right = new Vec(sums(set) + 1, set.vectorBytes);
    Vec temporary = new Vec(sums(set) + 2, set.vectorBytes);
    CallingConvention.enter(asm);
    asm.mov(count, Mem.at(arguments, PeakArguments.TURNS));
    asm.op(VBROADCASTSS, left, Mem.at(arguments, PeakArguments.VALUE));
    asm.op(VBROADCASTSS, right, Mem.at(arguments, PeakArguments.VALUE));
    for (int i = 0; i < sums(set); i++) {
      asm.op(VBROADCASTSS, new Vec(i, set.vectorBytes), Mem.at(arguments, PeakArguments.VALUE));
    }
    Label loop = asm.newLabel();
    asm.align(32);
    asm.bind(loop);
    for (int i = 0; i < sums(set); i++) {
      TileGenerator.dot(asm, dot, new Vec(i, set.vectorBytes), right, left, temporary);
    }
    asm.sub(count, 1);
    asm.jnz(loop);
    CallingConvention.leave(asm);
  }
}
