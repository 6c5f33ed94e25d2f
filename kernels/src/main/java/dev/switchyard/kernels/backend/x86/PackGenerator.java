package dev.switchyard.kernels.backend.x86;

import static dev.switchyard.kernels.backend.x86.asm.VectorOp.S_VMOVUPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VANDNPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VANDPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VCVTNE2PS2BF16;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VCVTNEPS2BF16;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VMOVUPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VORPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPADDD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPERM2F128;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPMOVSXBD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPMOVSXBW;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPMOVZXBD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPMOVZXWD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPSLLD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPSRAD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPSRLD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VSHUFF32X4;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VUNPCKHPD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VUNPCKHPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VUNPCKLPD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VUNPCKLPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VXORPS;

import dev.switchyard.kernels.backend.emitted.Conversion;
import dev.switchyard.kernels.backend.emitted.Layout;
import dev.switchyard.kernels.backend.emitted.PackArguments;
import dev.switchyard.kernels.backend.emitted.Target;
import dev.switchyard.kernels.backend.x86.asm.Assembler;
import dev.switchyard.kernels.backend.x86.asm.Gp;
import dev.switchyard.kernels.backend.x86.asm.Label;
import dev.switchyard.kernels.backend.x86.asm.Mem;
import dev.switchyard.kernels.backend.x86.asm.Vec;

/**
 * Emits the rearrangement of operands into groups of k: 32 bits that hold the 1, 2 or 4 values
 * which one lane of a dot instruction takes.
 *
 * <p>Where k runs along the rows of the operand, a row is groups already, and a square of as many
 * rows as a vector has lanes is transposed in registers. Where k runs down its columns, the rows of
 * a group are interleaved. Both write whole vectors and nothing else, so the caller sees to it that
 * there is something to read in all of them.
 */
final class PackGenerator {
  /**
   * One function of the generator.
   *
   * @param set the instructions it may use
   * @param conversion what becomes of the elements
   * @param layout where they go
   */
  record Kind(InstructionSet set, Conversion conversion, Layout layout) {}

  private static final int LINE = 64;

  /** Of a float, the bits that bfloat16 has not. */
  private static final int DROPPED_BITS = 16;

  /**
   * How far ahead interleaving asks for rows, which hardware does not foresee where they are short.
   */
  private static final int ROWS_AHEAD = 8;

  private final Assembler asm;
  private final Kind kind;
  private final Conversion conversion;
  private final int lanes;
  private final int vectorBytes;

  private final Gp arguments = CallingConvention.ARGUMENTS.get(0);
  private final Gp source = CallingConvention.ARGUMENTS.get(1);
  private final Gp target = CallingConvention.ARGUMENTS.get(2);
  private final Gp outer = CallingConvention.SCRATCH.get(0);
  private final Gp inner = CallingConvention.SCRATCH.get(1);
  private final Gp stride = CallingConvention.SCRATCH.get(2);
  private final Gp stride3 = CallingConvention.SCRATCH.get(3);
  private final Gp from = CallingConvention.SCRATCH.get(4);
  private final Gp to = CallingConvention.SAVED.get(0);
  private final Gp targetStride = CallingConvention.SAVED.get(1);
  private final Gp ahead = CallingConvention.SAVED.get(5);
  private final Gp[] fours = {
    from,
    CallingConvention.SAVED.get(2),
    CallingConvention.SAVED.get(3),
    CallingConvention.SAVED.get(4)
  };

  private PackGenerator(Assembler asm, Kind kind) {
    this.asm = asm;
    this.kind = kind;
    this.conversion = kind.conversion();
    this.lanes = kind.set().lanes();
    this.vectorBytes = kind.set().vectorBytes;
  }

  /** Emits the function {@code (arguments, source, target, unused)}; see {@link PackArguments}. */
  static void emit(Assembler asm, Kind kind) {
    new PackGenerator(asm, kind).function();
  }

  private void function() {
    CallingConvention.enter(asm);
    asm.add(source, argument(PackArguments.SOURCE_OFFSET));
    asm.add(target, argument(PackArguments.TARGET_OFFSET));
    asm.mov(stride, argument(PackArguments.SOURCE_STRIDE));
    asm.lea(stride3, Mem.at(stride, stride, 2, 0));
    asm.mov(targetStride, argument(PackArguments.TARGET_STRIDE));
    asm.mov(outer, argument(PackArguments.OUTER));
    Label loop = asm.newLabel();
    asm.bind(loop);
    switch (kind.layout()) {
      case TRANSPOSED_PANEL -> squares();
      case INTERLEAVED_PANELS -> interleave(Target.PANEL_VECTORS);
      case INTERLEAVED_TILES -> interleave(1);
      case ROWS -> row();
    }
    asm.sub(outer, 1);
    asm.jnz(loop);
    CallingConvention.leave(asm);
  }

  private Mem argument(int offset) {
    return Mem.at(arguments, offset);
  }

  // Transposing: outer over the vectors of the panel, inner over squares along k

  private void squares() {
    asm.mov(from, source);
    for (int i = 1; i < lanes / 4; i++) {
      asm.lea(fours[i], Mem.at(fours[i - 1], stride, 4, 0));
    }
    asm.mov(to, target);
    asm.mov(inner, argument(PackArguments.INNER));
    Label loop = asm.newLabel();
    asm.bind(loop);
    for (int r = 0; r < lanes; r++) {
      loadGroups(vec(r), vec(lanes), row(fours[r / 4], r % 4));
    }
    int columns = transpose();
    for (int i = 0; i < lanes; i++) {
      asm.store(S_VMOVUPS, Mem.at(to, i * kind.set().panelGroupBytes()), vec(columns + i));
    }
    for (int i = 0; i < lanes / 4; i++) {
      asm.add(fours[i], lanes * conversion.groupBytes());
    }
    asm.add(to, lanes * kind.set().panelGroupBytes());
    asm.sub(inner, 1);
    asm.jnz(loop);
    asm.add(target, vectorBytes);
    asm.lea(source, Mem.at(fours[lanes / 4 - 1], stride, 4, 0));
    // The rows moved along k: back to where they began.
    asm.mov(inner, argument(PackArguments.INNER));
    asm.mov32(from, lanes * conversion.groupBytes());
    asm.imul(inner, from);
    asm.sub(source, inner);
  }

  private Mem row(Gp base, int r) {
    return switch (r) {
      case 0 -> Mem.at(base, 0);
      case 3 -> Mem.at(base, stride3, 1, 0);
      default -> Mem.at(base, stride, r, 0);
    };
  }

  /** A vector of groups from a row in which k is contiguous. */
  private void loadGroups(Vec to, Vec temporary, Mem row) {
    switch (conversion) {
      case INT8 -> {
        asm.op(VMOVUPS, to, row);
        asm.op(VXORPS, to, to, argument(PackArguments.FLIP));
      }
      case INT8_TO_INT16 -> asm.op(VPMOVSXBW, to, row);
      case BFLOAT16, FLOAT32 -> asm.op(VMOVUPS, to, row);
      case FLOAT32_TO_BFLOAT16 -> {
        asm.op(VMOVUPS, temporary, row.plus(vectorBytes)); // the upper half comes first
        asm.op(VCVTNE2PS2BF16, to, temporary, row);
      }
      case BFLOAT16_TO_FLOAT32 -> loadWidened(to, row);
      case FLOAT32_ROUNDED -> loadRounded(to, row);
    }
  }

  private void loadWidened(Vec to, Mem row) {
    asm.op(VPMOVZXWD, to, row);
    asm.op(VPSLLD, to, to, DROPPED_BITS);
  }

  /** What {@code Bfloat16.round} does, in each lane; the last two registers are overwritten. */
  private void loadRounded(Vec to, Mem row) {
    Vec isNumber = vec(2 * lanes - 2);
    Vec step = vec(2 * lanes - 1);
    asm.op(VMOVUPS, to, row);
    asm.op(VANDPS, isNumber, to, argument(PackArguments.ABSOLUTE));
    asm.op(VPADDD, isNumber, isNumber, argument(PackArguments.BELOW_NAN));
    asm.op(VPSRAD, isNumber, isNumber, Integer.SIZE - 1);
    asm.op(VPSRLD, step, to, DROPPED_BITS);
    asm.op(VANDPS, step, step, argument(PackArguments.ONE));
    asm.op(VPADDD, step, step, argument(PackArguments.UNDER_HALF));
    asm.op(VANDPS, step, step, isNumber);
    asm.op(VPADDD, to, to, step);
    asm.op(VANDNPS, step, isNumber, argument(PackArguments.QUIET));
    asm.op(VORPS, to, to, step);
    asm.op(VANDPS, to, to, argument(PackArguments.UPPER));
  }

  /**
   * Transposes a square of 32-bit elements, row r in register r, in two or three times two halves:
   * pairs of rows, pairs of pairs, and then the 128-bit parts. Each step reads one half of the
   * registers and writes the other.
   *
   * @return the register of the first column
   */
  private int transpose() {
    for (int r = 0; r < lanes; r += 2) {
      asm.op(VUNPCKLPS, vec(lanes + r), vec(r), vec(r + 1));
      asm.op(VUNPCKHPS, vec(lanes + r + 1), vec(r), vec(r + 1));
    }
    for (int r = 0; r < lanes; r += 4) {
      for (int half = 0; half < 2; half++) {
        Vec low = vec(lanes + r + half);
        Vec high = vec(lanes + r + half + 2);
        asm.op(VUNPCKLPD, vec(r + 2 * half), low, high);
        asm.op(VUNPCKHPD, vec(r + 2 * half + 1), low, high);
      }
    }
    if (lanes == 8) {
      for (int c = 0; c < 4; c++) {
        asm.op(VPERM2F128, vec(8 + c), vec(c), vec(4 + c), 0x20);
        asm.op(VPERM2F128, vec(12 + c), vec(c), vec(4 + c), 0x31);
      }
      return 8;
    }
    for (int pair = 0; pair < 16; pair += 8) {
      for (int c = 0; c < 4; c++) {
        asm.op(VSHUFF32X4, vec(16 + pair + c), vec(pair + c), vec(pair + 4 + c), 0x44);
        asm.op(VSHUFF32X4, vec(20 + pair + c), vec(pair + c), vec(pair + 4 + c), 0xEE);
      }
    }
    for (int half = 0; half < 8; half += 4) {
      for (int c = 0; c < 4; c++) {
        asm.op(VSHUFF32X4, vec(2 * half + c), vec(16 + half + c), vec(24 + half + c), 0x88);
        asm.op(VSHUFF32X4, vec(2 * half + 4 + c), vec(16 + half + c), vec(24 + half + c), 0xDD);
      }
    }
    return 0;
  }

  // Interleaving: outer over groups of rows, inner over panels or tiles

  private void interleave(int vectors) {
    asm.mov(from, source);
    asm.lea(ahead, Mem.at(source, stride, ROWS_AHEAD, 0));
    asm.mov(to, target);
    asm.mov(inner, argument(PackArguments.INNER));
    Label loop = asm.newLabel();
    asm.bind(loop);
    for (int member = 0; member < conversion.dot.group; member++) {
      for (int at = 0; at < vectors * lanes * conversion.sourceBytes; at += LINE) {
        asm.prefetcht0(row(ahead, member).plus(at));
      }
    }
    for (int v = 0; v < vectors; v++) {
      int at = v * lanes * conversion.sourceBytes;
      for (int member = 0; member < conversion.dot.group; member++) {
        addMember(vec(2 * v), vec(2 * v + 1), member, row(from, member).plus(at));
      }
      if (conversion == Conversion.INT8) {
        asm.op(VXORPS, vec(2 * v), vec(2 * v), argument(PackArguments.FLIP));
      }
      asm.store(S_VMOVUPS, Mem.at(to, v * vectorBytes), vec(2 * v));
    }
    asm.add(from, argument(PackArguments.SOURCE_STEP));
    asm.add(ahead, argument(PackArguments.SOURCE_STEP));
    asm.add(to, targetStride);
    asm.sub(inner, 1);
    asm.jnz(loop);
    for (int member = 0; member < conversion.dot.group; member++) {
      asm.add(source, stride);
    }
    asm.add(target, vectors * vectorBytes);
  }

  /** Puts one row into its bits of the groups; the first also clears the others. */
  private void addMember(Vec groups, Vec temporary, int member, Mem row) {
    Vec value = member == 0 ? groups : temporary;
    int bits = Integer.SIZE / conversion.dot.group;
    switch (conversion) {
      case INT8 -> asm.op(VPMOVZXBD, value, row);
      case INT8_TO_INT16 -> {
        asm.op(VPMOVSXBD, value, row);
        if (member == 0) { // drop the copies of the sign above the value
          asm.op(VPSLLD, value, value, bits);
          asm.op(VPSRLD, value, value, bits);
        }
      }
      case BFLOAT16 -> asm.op(VPMOVZXWD, value, row);
      case FLOAT32_TO_BFLOAT16 -> {
        asm.op(VMOVUPS, value, row);
        asm.op(VCVTNEPS2BF16, value.as(vectorBytes / 2), value);
        asm.op(VPMOVZXWD, value, value.as(vectorBytes / 2));
      }
      case BFLOAT16_TO_FLOAT32 -> loadWidened(value, row);
      case FLOAT32_ROUNDED -> loadRounded(value, row);
      case FLOAT32 -> asm.op(VMOVUPS, value, row);
    }
    if (member > 0) {
      asm.op(VPSLLD, value, value, member * bits);
      asm.op(VORPS, groups, groups, value);
    }
  }

  // Rows: outer over rows, inner over vectors of the target

  private void row() {
    asm.mov(from, source);
    asm.mov(to, target);
    asm.mov(inner, argument(PackArguments.INNER));
    Label loop = asm.newLabel();
    asm.bind(loop);
    loadGroups(vec(0), vec(1), Mem.at(from, 0));
    asm.store(S_VMOVUPS, Mem.at(to, 0), vec(0));
    asm.add(from, lanes * conversion.groupBytes());
    asm.add(to, vectorBytes);
    asm.sub(inner, 1);
    asm.jnz(loop);
    asm.add(source, stride);
    asm.add(target, targetStride);
  }

  private Vec vec(int number) {
    return new Vec(number, vectorBytes);
  }
}
