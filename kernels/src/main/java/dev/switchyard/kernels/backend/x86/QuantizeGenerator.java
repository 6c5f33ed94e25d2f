package dev.switchyard.kernels.backend.x86;

import static dev.switchyard.kernels.backend.x86.asm.VectorOp.S_VMOVUPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VANDPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VBROADCASTSS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VCVTPS2DQ;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VDIVPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VMASKMOVPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VMOVUPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VMULPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPACKSSDW;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPACKSSWB;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPADDD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPERM2F128;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPERMD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPMAXSD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VSHUFF32X4;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VSHUFPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VXORPS;

import dev.switchyard.kernels.backend.emitted.Pass;
import dev.switchyard.kernels.backend.emitted.QuantizeArguments;
import dev.switchyard.kernels.backend.x86.asm.Assembler;
import dev.switchyard.kernels.backend.x86.asm.Gp;
import dev.switchyard.kernels.backend.x86.asm.Label;
import dev.switchyard.kernels.backend.x86.asm.Mask;
import dev.switchyard.kernels.backend.x86.asm.Mem;
import dev.switchyard.kernels.backend.x86.asm.Vec;
import dev.switchyard.kernels.backend.x86.asm.VectorOp;
import java.util.List;

/**
 * Emits the quantization of some rows:
 *
 * <pre>
 *   for each row:
 *     absmax = the largest magnitude, as bits
 *     inverse = 1 / (absmax / 127)
 *     for each four vectors:   q = round(x inverse), four times 32 bits an element to one vector
 *                              sum += q
 *                              ask for the same place in the next row
 * </pre>
 *
 * A row is read twice, the second time from L1; memory is busy all the time with the next one. What
 * is left of a row after whole turns is read under a mask and written as a whole vector, so that
 * the padding of the row becomes zero.
 */
final class QuantizeGenerator {
  private static final List<Mask> MASKS = List.of(Mask.K1, Mask.K2, Mask.K3, Mask.K4);
  private static final int LINE = 64;
  private static final int SWAP_PAIRS = 0x4E;
  private static final int SWAP_NEIGHBOURS = 0xB1;

  private final Assembler asm;
  private final Pass pass;
  private final boolean evex;
  private final int vectorBytes;

  private final Gp arguments = CallingConvention.ARGUMENTS.get(0);
  private final Gp x = CallingConvention.ARGUMENTS.get(1);
  private final Gp q = CallingConvention.ARGUMENTS.get(2);
  private final Gp rows = CallingConvention.SCRATCH.get(0);
  private final Gp count = CallingConvention.SCRATCH.get(1);
  private final Gp from = CallingConvention.SCRATCH.get(2);
  private final Gp to = CallingConvention.SCRATCH.get(3);
  private final Gp stride = CallingConvention.SCRATCH.get(4);
  private final Gp result = CallingConvention.SAVED.get(0);

  // vec(0) to vec(3) hold the elements of a turn.
  private final Vec inverse;
  private final Vec order;
  private final Vec laneMask;

  private QuantizeGenerator(Assembler asm, InstructionSet set, Pass pass) {
    this.asm = asm;
    this.pass = pass;
    this.evex = set.hasEvex();
    this.vectorBytes = set.vectorBytes;
    this.inverse = vec(8);
    this.order = vec(9);
    this.laneMask = vec(10);
  }

  /** Emits the function {@code (arguments, x, q, unused)}; see {@link QuantizeArguments}. */
  static void emit(Assembler asm, InstructionSet set, Pass pass) {
    new QuantizeGenerator(asm, set, pass).function();
  }

  private void function() {
    CallingConvention.enter(asm);
    asm.add(x, argument(QuantizeArguments.X_OFFSET));
    asm.add(q, argument(QuantizeArguments.Q_OFFSET));
    asm.mov(stride, argument(QuantizeArguments.X_STRIDE));
    asm.mov(rows, argument(QuantizeArguments.ROWS));
    asm.lea(result, argument(QuantizeArguments.RESULTS));
    asm.op(VMOVUPS, order, argument(QuantizeArguments.ORDER));
    asm.op(VBROADCASTSS, inverse, argument(QuantizeArguments.INVERSE));
    for (int v = 0; v < QuantizeArguments.VECTORS && evex; v++) {
      asm.kmovw(mask(v), argument(QuantizeArguments.ELEMENTS + v * Short.BYTES));
    }
    Label nextRow = asm.newLabel();
    asm.bind(nextRow);
    if (pass.findsMax) {
      absMax();
    }
    if (pass.rounds) {
      round();
    }
    asm.add(x, stride);
    asm.add(q, argument(QuantizeArguments.Q_STRIDE));
    asm.add(result, QuantizeArguments.RESULT_BYTES);
    asm.sub(rows, 1);
    asm.jnz(nextRow);
    CallingConvention.leave(asm);
  }

  private Mem argument(int offset) {
    return Mem.at(arguments, offset);
  }

  /** What to do in a turn; {@code rest} if it is the last and not whole. */
  private interface Turn {
    void emit(boolean rest);
  }

  private void turns(Turn turn) {
    Label loop = asm.newLabel();
    Label noTurns = asm.newLabel();
    Label noRest = asm.newLabel();
    asm.mov(from, x);
    asm.mov(to, q);
    asm.mov(count, argument(QuantizeArguments.TURNS));
    asm.test(count, count);
    asm.jz(noTurns);
    asm.align(32);
    asm.bind(loop);
    turn.emit(false);
    asm.add(from, QuantizeArguments.VECTORS * vectorBytes);
    asm.add(to, vectorBytes);
    asm.sub(count, 1);
    asm.jnz(loop);
    asm.bind(noTurns);
    asm.mov(count, argument(QuantizeArguments.REST));
    asm.test(count, count);
    asm.jz(noRest);
    if (!evex) {
      asm.mov(count, arguments); // where the masks are
      asm.add(count, argument(QuantizeArguments.ELEMENTS));
    }
    turn.emit(true);
    asm.bind(noRest);
  }

  private void load(int v, boolean rest) {
    Mem place = Mem.at(from, v * vectorBytes);
    if (!rest) {
      asm.op(VMOVUPS, vec(v), place);
    } else if (evex) {
      asm.load(VMOVUPS, vec(v), mask(v), place);
    } else {
      asm.op(VMOVUPS, laneMask, Mem.at(count, v * vectorBytes));
      asm.op(VMASKMOVPS, vec(v), laneMask, place);
    }
  }

  /** Four maxima: one alone would wait for itself. */
  private void absMax() {
    Vec magnitude = inverse; // until the inverse is known
    asm.op(VBROADCASTSS, magnitude, argument(QuantizeArguments.MAGNITUDE));
    clear(QuantizeArguments.VECTORS);
    turns(
        rest -> {
          for (int v = 0; v < QuantizeArguments.VECTORS; v++) {
            load(v, rest);
            asm.op(VANDPS, vec(v), vec(v), magnitude);
            asm.op(VPMAXSD, partial(v), partial(v), vec(v));
          }
        });
    asm.op(VPMAXSD, partial(0), partial(0), partial(1));
    asm.op(VPMAXSD, partial(2), partial(2), partial(3));
    asm.op(VPMAXSD, partial(0), partial(0), partial(2));
    overLanes(VPMAXSD);
    asm.store(S_VMOVUPS, Mem.at(result, 0), partial(0).as(16));
    if (pass.rounds) {
      asm.op(VBROADCASTSS, vec(0), argument(QuantizeArguments.LEVELS));
      asm.op(VBROADCASTSS, vec(1), argument(QuantizeArguments.ONE));
      asm.op(VDIVPS, inverse, partial(0), vec(0));
      asm.op(VDIVPS, inverse, vec(1), inverse);
    }
  }

  private void round() {
    clear(2);
    turns(
        rest -> {
          for (int v = 0; v < QuantizeArguments.VECTORS; v++) {
            load(v, rest);
            asm.op(VMULPS, vec(v), vec(v), inverse);
            asm.op(VCVTPS2DQ, vec(v), vec(v));
            asm.op(VPADDD, partial(v % 2), partial(v % 2), vec(v));
          }
          asm.op(VPACKSSDW, vec(0), vec(0), vec(1));
          asm.op(VPACKSSDW, vec(2), vec(2), vec(3));
          asm.op(VPACKSSWB, vec(0), vec(0), vec(2)); // within each 128 bits, so out of order
          asm.op(VPERMD, vec(0), order, vec(0));
          asm.store(S_VMOVUPS, Mem.at(to, 0), vec(0));
          for (int at = 0;
              at < QuantizeArguments.VECTORS * vectorBytes && pass.findsMax;
              at += LINE) {
            asm.prefetcht0(Mem.at(from, stride, 1, at));
          }
        });
    asm.op(VPADDD, partial(0), partial(0), partial(1));
    overLanes(VPADDD);
    asm.store(S_VMOVUPS, Mem.at(result, QuantizeArguments.RESULT_BYTES / 2), partial(0).as(16));
  }

  private void clear(int partials) {
    for (int i = 0; i < partials; i++) {
      asm.op(VXORPS, partial(i), partial(i), partial(i));
    }
  }

  /** Combines the lanes of the first partial result, in all of its lanes. */
  private void overLanes(VectorOp op) {
    Vec all = partial(0);
    Vec other = partial(1);
    if (evex) {
      asm.op(VSHUFF32X4, other, all, all, SWAP_PAIRS);
      asm.op(op, all, all, other);
      asm.op(VSHUFF32X4, other, all, all, SWAP_NEIGHBOURS);
    } else {
      asm.op(VPERM2F128, other, all, all, 1);
    }
    asm.op(op, all, all, other);
    asm.op(VSHUFPS, other, all, all, SWAP_PAIRS);
    asm.op(op, all, all, other);
    asm.op(VSHUFPS, other, all, all, SWAP_NEIGHBOURS);
    asm.op(op, all, all, other);
  }

  private static Mask mask(int v) {
    return MASKS.get(v);
  }

  private Vec partial(int i) {
    return vec(QuantizeArguments.VECTORS + i);
  }

  private Vec vec(int number) {
    return new Vec(number, vectorBytes);
  }
}
