package dev.switchyard.kernels.backend.x86;

import static dev.switchyard.kernels.backend.x86.asm.VectorOp.S_VMOVUPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VADDPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VCVTDQ2PS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VFMADD213PS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VMOVUPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VMULPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPADDD;

import dev.switchyard.kernels.backend.emitted.Dot;
import dev.switchyard.kernels.backend.emitted.Left;
import dev.switchyard.kernels.backend.emitted.PeakArguments;
import dev.switchyard.kernels.backend.emitted.RegisterTileArguments;
import dev.switchyard.kernels.backend.emitted.Target;
import dev.switchyard.kernels.backend.emitted.TileArguments;
import dev.switchyard.kernels.backend.x86.asm.Assembler;
import dev.switchyard.kernels.backend.x86.asm.Gp;
import dev.switchyard.kernels.backend.x86.asm.Label;
import dev.switchyard.kernels.backend.x86.asm.Mask;
import dev.switchyard.kernels.backend.x86.asm.Mem;
import dev.switchyard.kernels.backend.x86.asm.Tmm;
import dev.switchyard.kernels.backend.x86.asm.Vec;

/**
 * Emits the product of a tile of A with some panels of B on the tile registers of AMX, whose dot
 * instruction takes 16 rows of A and 16 groups of k at once (Intel SDM volume 1, chapter 18):
 *
 * <pre>
 *                        b0      b1           16 groups of the panel, 16 columns each
 *   A rows 0 to 15       s00     s01
 *   A rows 16 to 31      s10     s11          16 groups of 16 rows of A
 *
 *   for each panel:
 *     sums = 0
 *     for each step of 16 groups:   load b0, b1, a0:   s00 += a0 . b0,  s01 += a0 . b1
 *                                   load a1:           s10 += a1 . b0,  s11 += a1 . b1
 *       some rows of the panel before: correction, scales, bias, accumulation; store
 *     sums to memory
 * </pre>
 *
 * A dot takes 16 cycles and its sum 52, so that four sums keep the unit busy; the vector unit has
 * nothing else to do meanwhile than to finish the sums of the panel before. Panel after panel, the
 * rows of C are written from left to right: tile after tile, they would be on other pages each
 * time. What lies beyond the last group has to be zero in B, and a number in A.
 */
final class AmxGenerator {
  /** No mode: there are no rows yet. */
  private static final int NONE = -1;

  /** Rows to finish beside two steps, which take 128 cycles: with more, the dots would wait. */
  private static final int ROWS_A_PAIR = 8;

  private static final int VECTORS = Target.PANEL_VECTORS;
  private static final int VECTOR_BYTES = 64;

  private final Assembler asm;
  private final Dot dot;
  private final Left left;
  private final boolean both;

  // The roles of the registers.
  private final Gp arguments = CallingConvention.ARGUMENTS.get(0);
  private final Gp a = CallingConvention.ARGUMENTS.get(1);
  private final Gp b = CallingConvention.ARGUMENTS.get(2);
  private final Gp c = CallingConvention.ARGUMENTS.get(3);
  private final Gp count = CallingConvention.SCRATCH.get(0);
  private final Gp stride = CallingConvention.SCRATCH.get(1);
  private final Gp panelStride = CallingConvention.SCRATCH.get(2);
  private final Gp second = CallingConvention.SCRATCH.get(3);
  private final Gp sums = CallingConvention.SCRATCH.get(4);
  private final Gp row = CallingConvention.SAVED.get(0);
  private final Gp columns = CallingConvention.SAVED.get(1);
  private final Gp panel = CallingConvention.SAVED.get(2);
  private final Gp cStride = CallingConvention.SAVED.get(3);
  private final Gp cRow = CallingConvention.SAVED.get(4);
  private final Gp rowsLeft = CallingConvention.SAVED.get(5);

  private AmxGenerator(Assembler asm, Dot dot, Left left, boolean both) {
    this.asm = asm;
    this.dot = dot;
    this.left = left;
    this.both = both;
  }

  /**
   * Emits the function {@code (arguments, A, B, C)}; see {@link RegisterTileArguments}.
   *
   * @param both whether the tile has more than 16 rows
   */
  static void emit(Assembler asm, Dot dot, Left left, boolean both) {
    new AmxGenerator(asm, dot, left, both).function();
  }

  /** Emits a loop of dot instructions on registers: {@code (arguments, unused, unused, unused)}. */
  static void emitPeak(Assembler asm, Dot dot) {
    AmxGenerator peak = new AmxGenerator(asm, dot, Left.ROWS, true);
    CallingConvention.enter(asm);
    asm.ldtilecfg(Mem.at(peak.arguments, PeakArguments.SHAPES));
    asm.mov(peak.count, Mem.at(peak.arguments, PeakArguments.TURNS));
    Label loop = asm.newLabel();
    asm.align(32);
    asm.bind(loop);
    for (int half = 0; half < 2; half++) {
      for (int v = 0; v < VECTORS; v++) {
        peak.multiply(half, v);
      }
    }
    asm.sub(peak.count, 1);
    asm.jnz(loop);
    asm.tilerelease();
    CallingConvention.leave(asm);
  }

  private void function() {
    CallingConvention.enter(asm);
    asm.ldtilecfg(argument(RegisterTileArguments.SHAPES));
    asm.add(a, argument(RegisterTileArguments.A_OFFSET));
    asm.add(b, argument(RegisterTileArguments.B_OFFSET));
    asm.add(c, argument(RegisterTileArguments.C_OFFSET));
    asm.mov(argument(RegisterTileArguments.TILE), a);
    asm.mov(panel, b);
    asm.mov(stride, argument(RegisterTileArguments.A_STRIDE));
    asm.mov32(panelStride, RegisterTileArguments.PANEL_BYTES); // of B, and of the sums in memory
    asm.mov(cStride, argument(RegisterTileArguments.C_STRIDE));
    asm.lea(columns, argument(RegisterTileArguments.COLUMNS));
    products(NONE);
    Label end = asm.newLabel();
    int modes = dot.isInteger() ? TileArguments.INTEGERS | TileArguments.ACCUMULATE : 1;
    for (int mode = 0; mode <= modes; mode++) {
      Label other = asm.newLabel();
      asm.mov(count, argument(RegisterTileArguments.MODE));
      asm.cmp(count, mode);
      asm.jnz(other);
      panels(mode);
      asm.jmp(end);
      asm.bind(other);
    }
    asm.bind(end);
    asm.tilerelease();
    CallingConvention.leave(asm);
  }

  /** What is left to do when the sums of the first panel are there. */
  private void panels(int mode) {
    Label next = asm.newLabel();
    Label last = asm.newLabel();
    asm.bind(next);
    storeSums();
    asm.sub(argument(RegisterTileArguments.PANELS), 1);
    asm.jz(last);
    asm.add(panel, argument(RegisterTileArguments.NEXT_B));
    startRows(RegisterTileArguments.MASKS);
    products(mode);
    finishRows(mode);
    asm.add(c, RegisterTileArguments.PANEL_BYTES);
    asm.add(columns, RegisterTileArguments.COLUMNS_BYTES);
    asm.jmp(next);
    asm.bind(last);
    startRows(RegisterTileArguments.LAST_MASKS);
    finishRows(mode);
  }

  private Mem argument(int offset) {
    return Mem.at(arguments, offset);
  }

  // Products

  /** The sums of a panel; beside them, rows of the one before if there is a mode for them. */
  private void products(int mode) {
    for (int half = 0; half < halves(); half++) {
      for (int v = 0; v < VECTORS; v++) {
        asm.tilezero(sum(half, v));
      }
    }
    asm.mov(b, panel);
    asm.mov(a, argument(RegisterTileArguments.TILE));
    asm.mov(second, a);
    asm.add(second, argument(RegisterTileArguments.SECOND_A));
    Label pairs = asm.newLabel();
    Label rest = asm.newLabel();
    Label done = asm.newLabel();
    asm.mov(count, argument(RegisterTileArguments.STEPS));
    asm.sub(count, 2);
    asm.jl(rest);
    asm.align(32);
    asm.bind(pairs);
    step(0);
    step(1);
    if (mode != NONE) {
      someRows(mode);
    }
    int bytes =
        left == Left.PACKED
            ? RegisterTileArguments.PAIR_BYTES
            : 2 * RegisterTileArguments.ROW_BYTES;
    asm.add(a, bytes);
    asm.add(second, bytes);
    asm.add(b, 2 * RegisterTileArguments.STEP * RegisterTileArguments.PANEL_BYTES);
    asm.sub(count, 2);
    asm.jge(pairs);
    asm.bind(rest);
    asm.add(count, 2);
    asm.jz(done);
    step(0);
    asm.bind(done);
  }

  /** One of the two steps of a pair. */
  private void step(int which) {
    for (int v = 0; v < VECTORS; v++) {
      int at =
          which * RegisterTileArguments.STEP * RegisterTileArguments.PANEL_BYTES + v * VECTOR_BYTES;
      asm.tileloadd(right(v), Mem.at(b, panelStride, 1, at));
    }
    for (int half = 0; half < halves(); half++) {
      Gp rows = half == 0 ? a : second;
      asm.tileloadd(left(half), Mem.at(rows, stride, 1, which * RegisterTileArguments.ROW_BYTES));
      for (int v = 0; v < VECTORS; v++) {
        multiply(half, v);
      }
    }
  }

  private void multiply(int half, int v) {
    if (dot.isInteger()) {
      asm.tdpbsud(sum(half, v), left(half), right(v));
    } else {
      asm.tdpbf16ps(sum(half, v), left(half), right(v));
    }
  }

  private int halves() {
    return both ? 2 : 1;
  }

  // Epilogue

  private void storeSums() {
    asm.lea(sums, argument(RegisterTileArguments.SUMS));
    for (int half = 0; half < halves(); half++) {
      for (int v = 0; v < VECTORS; v++) {
        int at =
            half * RegisterTileArguments.HALF * RegisterTileArguments.PANEL_BYTES
                + v * VECTOR_BYTES;
        asm.tilestored(Mem.at(sums, panelStride, 1, at), sum(half, v));
      }
    }
  }

  private void setMasks(int offset) {
    asm.kmovw(Mask.K1, argument(offset));
    asm.kmovw(Mask.K2, argument(offset + Short.BYTES));
  }

  private void startRows(int masks) {
    setMasks(masks);
    for (int v = 0; v < VECTORS; v++) {
      asm.op(VMOVUPS, columnScales(v), Mem.at(columns, v * VECTOR_BYTES));
      asm.op(
          VMOVUPS, bias(v), Mem.at(columns, RegisterTileArguments.PANEL_BYTES + v * VECTOR_BYTES));
    }
    asm.lea(sums, argument(RegisterTileArguments.SUMS));
    asm.lea(row, argument(RegisterTileArguments.ROW_SCALES));
    asm.mov(cRow, c);
    asm.mov(rowsLeft, argument(RegisterTileArguments.ROWS));
  }

  private void someRows(int mode) {
    Label done = asm.newLabel();
    for (int i = 0; i < ROWS_A_PAIR; i++) {
      asm.test(rowsLeft, rowsLeft);
      asm.jz(done);
      row(mode);
    }
    asm.bind(done);
  }

  private void finishRows(int mode) {
    Label loop = asm.newLabel();
    Label done = asm.newLabel();
    asm.bind(loop);
    asm.test(rowsLeft, rowsLeft);
    asm.jz(done);
    row(mode);
    asm.jmp(loop);
    asm.bind(done);
  }

  private void row(int mode) {
    boolean integers = (mode & TileArguments.INTEGERS) != 0;
    boolean accumulate = (mode & TileArguments.ACCUMULATE) != 0;
    for (int v = 0; v < VECTORS; v++) {
      asm.op(VMOVUPS, y(v), Mem.at(sums, v * VECTOR_BYTES));
      if (dot.isInteger()) {
        correct(v);
      }
      if (integers) {
        accumulateIntegers(v, accumulate);
      } else if (dot.isInteger()) {
        dequantize(v, accumulate);
      } else {
        floats(v, accumulate);
      }
      asm.store(S_VMOVUPS, c(v), mask(v), y(v));
    }
    asm.add(sums, RegisterTileArguments.PANEL_BYTES);
    asm.add(row, Integer.BYTES);
    asm.add(cRow, cStride);
    asm.sub(rowsLeft, 1);
  }

  /** Takes off what the bias of B added: 128 times the sum of the row of A. */
  private void correct(int v) {
    int at = RegisterTileArguments.ROW_CORRECTIONS - RegisterTileArguments.ROW_SCALES;
    asm.op(VPADDD, y(v), y(v), Mem.at(row, at).spread());
  }

  private void accumulateIntegers(int v, boolean accumulate) {
    if (accumulate) {
      asm.load(VMOVUPS, temporary(v), mask(v), c(v));
      asm.op(VPADDD, y(v), y(v), temporary(v));
    }
  }

  /** {@code y = sum * (row scale * column scale) + bias}, the last two roundings in one. */
  private void dequantize(int v, boolean accumulate) {
    asm.op(VMULPS, temporary(v), columnScales(v), Mem.at(row, 0).spread());
    asm.op(VCVTDQ2PS, y(v), y(v));
    asm.op(VFMADD213PS, y(v), temporary(v), bias(v));
    if (accumulate) {
      asm.load(VMOVUPS, temporary(v), mask(v), c(v));
      asm.op(VADDPS, y(v), temporary(v), y(v));
    }
  }

  private void floats(int v, boolean accumulate) {
    if (accumulate) {
      asm.load(VMOVUPS, temporary(v), mask(v), c(v));
      asm.op(VADDPS, y(v), temporary(v), y(v));
    }
    asm.op(VADDPS, y(v), y(v), bias(v));
  }

  private Mem c(int v) {
    return Mem.at(cRow, v * VECTOR_BYTES);
  }

  private static Mask mask(int v) {
    return v == 0 ? Mask.K1 : Mask.K2;
  }

  // Tile registers: four sums, two of A, two of B

  private static Tmm sum(int half, int v) {
    return new Tmm(half * VECTORS + v);
  }

  private static Tmm left(int half) {
    return new Tmm(2 * VECTORS + half);
  }

  private static Tmm right(int v) {
    return new Tmm(2 * VECTORS + 2 + v);
  }

  /** Describes the tile registers for tiles of so many rows, in the form of {@code ldtilecfg}. */
  static byte[] shapes(int rows) {
    byte[] shapes = new byte[RegisterTileArguments.SHAPES_BYTES];
    shapes[0] = 1; // the palette
    for (int half = 0; half < 2; half++) {
      int rowsOfHalf =
          half == 0
              ? Math.min(rows, RegisterTileArguments.HALF)
              : Math.max(0, rows - RegisterTileArguments.HALF);
      for (int v = 0; v < VECTORS; v++) {
        shape(shapes, sum(half, v), rowsOfHalf);
      }
      shape(shapes, left(half), rowsOfHalf);
    }
    for (int v = 0; v < VECTORS; v++) {
      shape(shapes, right(v), RegisterTileArguments.STEP);
    }
    return shapes;
  }

  private static void shape(byte[] shapes, Tmm tile, int rows) {
    shapes[16 + 2 * tile.number()] = (byte) (rows == 0 ? 0 : RegisterTileArguments.ROW_BYTES);
    shapes[48 + tile.number()] = (byte) rows;
  }

  // Vector registers

  private static Vec y(int v) {
    return vec(v);
  }

  private static Vec temporary(int v) {
    return vec(VECTORS + v);
  }

  private static Vec bias(int v) {
    return vec(2 * VECTORS + v);
  }

  private static Vec columnScales(int v) {
    return vec(3 * VECTORS + v);
  }

  private static Vec vec(int number) {
    return new Vec(number, VECTOR_BYTES);
  }
}
