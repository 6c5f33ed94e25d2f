package dev.switchyard.kernels.backend.x86;

import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VBROADCASTSS;

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
  /** The parameters, in bytes: how many turns, and 32 bits that the operands are filled with. */
  static final int TURNS = 0;

  static final int VALUE = 8;

  /** The shapes of tile registers. */
  static final int SHAPES = 64;

  static final int BYTES = SHAPES + AmxGenerator.SHAPES_BYTES;

  private PeakGenerator() {}

  private static int sums(InstructionSet set) {
    return set.tileRows * InstructionSet.PANEL_VECTORS;
  }

  /** Multiplications and additions a turn. */
  static long operations(InstructionSet set, Dot dot) {
    long groups =
        set.usesTiles(dot)
            ? (long) set.tileRows(dot) * set.panelCols() * AmxGenerator.STEP
            : (long) sums(set) * set.lanes();
    return 2 * groups * dot.group;
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
    asm.mov(count, Mem.at(arguments, TURNS));
    asm.op(VBROADCASTSS, left, Mem.at(arguments, VALUE));
    asm.op(VBROADCASTSS, right, Mem.at(arguments, VALUE));
    for (int i = 0; i < sums(set); i++) {
      asm.op(VBROADCASTSS, new Vec(i, set.vectorBytes), Mem.at(arguments, VALUE));
    }
    Label loop = asm.newLabel();
    asm.align(32);
    asm.bind(loop);
    for (int i = 0; i < sums(set); i++) {
      dot.emit(asm, new Vec(i, set.vectorBytes), right, left, temporary);
    }
    asm.sub(count, 1);
    asm.jnz(loop);
    CallingConvention.leave(asm);
  }
}
