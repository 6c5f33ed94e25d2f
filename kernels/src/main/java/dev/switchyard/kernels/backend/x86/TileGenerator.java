package dev.switchyard.kernels.backend.x86;

import static dev.switchyard.kernels.backend.x86.asm.VectorOp.S_VMASKMOVPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.S_VMOVUPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VADDPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VBROADCASTSS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VCVTDQ2PS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VDPBF16PS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VFMADD213PS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VFMADD231PS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VMASKMOVPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VMOVUPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VMULPS;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPADDD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPDPBUSD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VPMADDWD;
import static dev.switchyard.kernels.backend.x86.asm.VectorOp.VXORPS;

import dev.switchyard.kernels.backend.emitted.Dot;
import dev.switchyard.kernels.backend.emitted.Left;
import dev.switchyard.kernels.backend.emitted.Target;
import dev.switchyard.kernels.backend.emitted.TileArguments;
import dev.switchyard.kernels.backend.x86.asm.Assembler;
import dev.switchyard.kernels.backend.x86.asm.Gp;
import dev.switchyard.kernels.backend.x86.asm.Label;
import dev.switchyard.kernels.backend.x86.asm.Mask;
import dev.switchyard.kernels.backend.x86.asm.Mem;
import dev.switchyard.kernels.backend.x86.asm.Vec;

/**
 * Emits the product of some tiles of A, one below the other, with one panel of B:
 *
 * <pre>
 *                     b0       b1         one group of the panel, 2 vectors
 *   A row 0          s00      s01
 *   A row 1          s10      s11         a group of a row of A is spread over all lanes
 *    ...             ...      ...
 *
 *   for each tile:
 *     sums = 0, or C where float sums go on
 *     for each group of k:   load b0, b1
 *                            for each row:  s0 += a . b0,  s1 += a . b1
 *                            ask for a line of C, and for one of the next panel
 *     epilogue: correction, scales, bias, accumulation; store
 * </pre>
 *
 * A sum is one chain over k from the first to the last, whatever the tile's rows; so the cut into
 * tiles cannot change a result. Float products over blocks of k go on with what they left in C.
 */
final class TileGenerator {
  /**
   * One function of the generator.
   *
   * @param set the instructions it may use
   * @param dot the products
   * @param left the layout of A
   * @param rows rows of a tile
   */
  record Kind(InstructionSet set, Dot dot, Left left, int rows) {}

  /** Groups a turn of the loop; with 4 its counting and asking ahead cost nothing. */
  private static final int UNROLL = 4;

  private static final int VECTORS = Target.PANEL_VECTORS;

  /** Rows that one base register and the strides 0, 1, 2, 3 and 4 reach. */
  private static final int ROWS_A_BASE = 5;

  private static final int LINE = 64;

  private final Assembler asm;
  private final Kind kind;
  private final boolean evex;
  private final int vectorBytes;

  // The roles of the registers.
  private final Gp arguments = CallingConvention.ARGUMENTS.get(0);
  private final Gp a = CallingConvention.ARGUMENTS.get(1);
  private final Gp b = CallingConvention.ARGUMENTS.get(2);
  private final Gp c = CallingConvention.ARGUMENTS.get(3);
  private final Gp count = CallingConvention.SCRATCH.get(0);
  private final Gp stride = CallingConvention.SCRATCH.get(1);
  private final Gp stride3 = CallingConvention.SCRATCH.get(2);
  private final Gp[] bases = {
    a, CallingConvention.SCRATCH.get(3), CallingConvention.SCRATCH.get(4)
  };
  private final Gp ahead = CallingConvention.SAVED.get(0);
  private final Gp row = CallingConvention.SAVED.get(1);
  private final Gp panel = CallingConvention.SAVED.get(2);
  private final Gp cStride = CallingConvention.SAVED.get(3);
  private final Gp cRow = CallingConvention.SAVED.get(4);
  private final Gp tile = CallingConvention.SAVED.get(5);

  private TileGenerator(Assembler asm, Kind kind) {
    this.asm = asm;
    this.kind = kind;
    this.evex = kind.set().hasEvex();
    this.vectorBytes = kind.set().vectorBytes;
  }

  /** Emits the function {@code (arguments, A, B, C)}; see {@link TileArguments}. */
  static void emit(Assembler asm, Kind kind) {
    new TileGenerator(asm, kind).function();
  }

  /** Emits {@code sum += right . left}; in {@link Dot#INT8} it is right that is unsigned. */
  static void dot(Assembler asm, Dot dot, Vec sum, Vec right, Vec left, Vec temporary) {
    switch (dot) {
      case INT8 -> asm.op(VPDPBUSD, sum, right, left);
      case BFLOAT16 -> asm.op(VDPBF16PS, sum, right, left);
      case FLOAT32 -> asm.op(VFMADD231PS, sum, right, left);
      case INT16 -> {
        asm.op(VPMADDWD, temporary, right, left);
        asm.op(VPADDD, sum, sum, temporary);
      }
    }
  }

  private void function() {
    CallingConvention.enter(asm);
    asm.add(a, argument(TileArguments.A_OFFSET));
    asm.mov(ahead, b);
    asm.add(ahead, argument(TileArguments.AHEAD_OFFSET));
    asm.add(b, argument(TileArguments.B_OFFSET));
    asm.add(c, argument(TileArguments.C_OFFSET));
    asm.mov(argument(TileArguments.FIRST_C), c);
    asm.mov(tile, a);
    asm.mov(panel, b);
    asm.mov(stride, argument(TileArguments.A_STRIDE));
    asm.lea(stride3, Mem.at(stride, stride, 2, 0));
    asm.mov(cStride, argument(TileArguments.C_STRIDE));
    asm.mov(row, argument(TileArguments.ROW));
    asm.add(row, arguments);
    if (evex) {
      asm.kmovw(Mask.K1, argument(TileArguments.COLUMNS));
      asm.kmovw(Mask.K2, argument(TileArguments.COLUMNS + Short.BYTES));
    }
    Label nextTile = asm.newLabel();
    asm.bind(nextTile);
    startSums();
    startRows();
    products();
    if (kind.dot().isInteger()) {
      integerEpilogues();
    } else {
      rows(this::floats);
    }
    nextTile();
    asm.sub(argument(TileArguments.TILES), 1);
    asm.jnz(nextTile);
    CallingConvention.leave(asm);
  }

  private Mem argument(int offset) {
    return Mem.at(arguments, offset);
  }

  private void startSums() {
    for (int r = 0; r < kind.rows(); r++) {
      for (int v = 0; v < VECTORS; v++) {
        asm.op(VXORPS, sum(r, v), sum(r, v), sum(r, v));
      }
    }
    if (!kind.dot().isInteger()) {
      Label fresh = asm.newLabel();
      asm.mov(count, argument(TileArguments.MODE));
      asm.test(count, count);
      asm.jz(fresh);
      rows((r, v) -> loadC(sum(r, v), v));
      asm.bind(fresh);
    }
  }

  private void startRows() {
    asm.mov(b, panel);
    asm.mov(a, tile);
    for (int i = 1; i < basesInUse(); i++) {
      asm.lea(bases[i], Mem.at(bases[i - 1], stride, 4, 0));
      asm.add(bases[i], stride);
    }
  }

  private int basesInUse() {
    return kind.left() == Left.PACKED ? 1 : (kind.rows() + ROWS_A_BASE - 1) / ROWS_A_BASE;
  }

  /**
   * The loop over k. Its first turns also ask for the lines of C of the next tile, a row a turn: a
   * store that has to wait for memory, or a sum that goes on from there, costs a tenth of the time
   * on large results, and all rows at once would keep the loads of B waiting instead.
   */
  private void products() {
    int asking = kind.rows() * UNROLL;
    Label askLoop = asm.newLabel();
    Label few = asm.newLabel();
    Label loop = asm.newLabel();
    Label rest = asm.newLabel();
    Label restLoop = asm.newLabel();
    Label done = asm.newLabel();
    asm.mov(count, argument(TileArguments.GROUPS));
    asm.sub(count, asking);
    asm.jl(few);
    asm.mov(argument(TileArguments.SPILL), count);
    startAsking();
    asm.mov32(count, kind.rows());
    asm.align(32);
    asm.bind(askLoop);
    groups(UNROLL);
    for (int at = 0; at < VECTORS * vectorBytes; at += LINE) {
      asm.prefetchw(Mem.at(cRow, at));
    }
    asm.prefetchw(Mem.at(cRow, VECTORS * vectorBytes - 1));
    asm.add(cRow, cStride);
    askForPanel();
    asm.sub(count, 1);
    asm.jnz(askLoop);
    asm.mov(count, argument(TileArguments.SPILL));
    asm.sub(count, UNROLL);
    asm.jge(loop);
    asm.jmp(rest);
    asm.bind(few);
    asm.add(count, asking - UNROLL);
    asm.jl(rest);
    asm.align(32);
    asm.bind(loop);
    groups(UNROLL);
    askForPanel();
    asm.sub(count, UNROLL);
    asm.jge(loop);
    asm.bind(rest);
    asm.add(count, UNROLL);
    asm.jz(done);
    asm.bind(restLoop);
    groups(1);
    asm.sub(count, 1);
    asm.jnz(restLoop);
    asm.bind(done);
  }

  /**
   * Sets {@code cRow} to the row of C that is needed a tile later: the next tile's first, or that
   * of the next panel, which the next call is about.
   */
  private void startAsking() {
    Label go = asm.newLabel();
    asm.mov32(cRow, kind.rows());
    asm.imul(cRow, cStride);
    asm.add(cRow, c);
    asm.mov(count, argument(TileArguments.TILES));
    asm.cmp(count, 1);
    asm.jnz(go);
    asm.mov(cRow, argument(TileArguments.FIRST_C));
    asm.add(cRow, VECTORS * vectorBytes);
    asm.bind(go);
  }

  /**
   * Two lines of the panel of the next call: after four tiles all of it is in L2. Asking beyond its
   * end does no harm.
   */
  private void askForPanel() {
    asm.prefetcht1(Mem.at(ahead, 0));
    asm.prefetcht1(Mem.at(ahead, LINE));
    asm.add(ahead, 2 * LINE);
  }

  private void groups(int n) {
    for (int g = 0; g < n; g++) {
      for (int v = 0; v < VECTORS; v++) {
        asm.op(VMOVUPS, right(v), Mem.at(b, (g * VECTORS + v) * vectorBytes));
      }
      for (int r = 0; r < kind.rows(); r++) {
        Vec left = temporary(kind.dot() == Dot.INT16 ? 0 : r % 2);
        asm.op(VBROADCASTSS, left, left(r, g));
        for (int v = 0; v < VECTORS; v++) {
          dot(asm, kind.dot(), sum(r, v), right(v), left, temporary(1));
        }
      }
    }
    asm.add(b, n * VECTORS * vectorBytes);
    int step = kind.left() == Left.PACKED ? vectorBytes : Integer.BYTES;
    for (int i = 0; i < basesInUse(); i++) {
      asm.add(bases[i], n * step);
    }
  }

  /** A group of a row of A, counted from where the loop stands. */
  private Mem left(int r, int group) {
    if (kind.left() == Left.PACKED) {
      return Mem.at(a, group * vectorBytes + r * Integer.BYTES);
    }
    Gp base = bases[r / ROWS_A_BASE];
    int at = group * Integer.BYTES;
    return switch (r % ROWS_A_BASE) {
      case 0 -> Mem.at(base, at);
      case 3 -> Mem.at(base, stride3, 1, at);
      default -> Mem.at(base, stride, r % ROWS_A_BASE, at);
    };
  }

  /** What to do with a vector of sums; {@code cRow} stands at its row of C. */
  private interface Step {
    void run(int row, int vector);
  }

  private void rows(Step step) {
    loadLaneMasks();
    asm.mov(cRow, c);
    for (int r = 0; r < kind.rows(); r++) {
      for (int v = 0; v < VECTORS; v++) {
        step.run(r, v);
      }
      asm.add(cRow, cStride);
    }
  }

  /** {@code y = sum + bias}; the sums went on from C where they had to. */
  private void floats(int r, int v) {
    asm.op(VADDPS, sum(r, v), sum(r, v), argument(TileArguments.BIAS + v * vectorBytes));
    storeC(v, sum(r, v));
  }

  /** One after the other for each mode; the mode chooses where to jump. */
  private void integerEpilogues() {
    Label done = asm.newLabel();
    asm.mov(count, argument(TileArguments.MODE));
    for (int mode = 0; mode <= (TileArguments.INTEGERS | TileArguments.ACCUMULATE); mode++) {
      boolean integers = (mode & TileArguments.INTEGERS) != 0;
      boolean accumulate = (mode & TileArguments.ACCUMULATE) != 0;
      Label other = asm.newLabel();
      asm.cmp(count, mode);
      asm.jnz(other);
      rows(
          (r, v) -> {
            correct(r, v);
            if (integers) {
              integers(r, v, accumulate);
            } else {
              dequantized(r, v, accumulate);
            }
          });
      asm.jmp(done);
      asm.bind(other);
    }
    asm.bind(done);
  }

  /** Takes off what the bias of B added: 128 times the sum of the row of A. */
  private void correct(int r, int v) {
    if (kind.dot().isBiased()) {
      Vec correction = temporary(0);
      asm.op(VBROADCASTSS, correction, Mem.at(row, ofRow(TileArguments.ROW_CORRECTIONS, r)));
      asm.op(VPADDD, sum(r, v), sum(r, v), correction);
    }
  }

  /** {@code ROW} points at the scale of the first row; the other values of rows lie behind. */
  private static int ofRow(int values, int r) {
    return values - TileArguments.ROW_SCALES + r * Integer.BYTES;
  }

  private void integers(int r, int v, boolean accumulate) {
    if (accumulate) {
      loadC(temporary(0), v);
      asm.op(VPADDD, sum(r, v), sum(r, v), temporary(0));
    }
    storeC(v, sum(r, v));
  }

  /** {@code y = sum * (row scale * column scale) + bias}, the last two roundings in one. */
  private void dequantized(int r, int v, boolean accumulate) {
    Vec y = sum(r, v);
    Vec scale = temporary(0);
    asm.op(VBROADCASTSS, scale, Mem.at(row, ofRow(TileArguments.ROW_SCALES, r)));
    asm.op(VMULPS, scale, scale, argument(TileArguments.COLUMN_SCALES + v * vectorBytes));
    asm.op(VCVTDQ2PS, y, y);
    asm.op(VFMADD213PS, y, scale, argument(TileArguments.BIAS + v * vectorBytes));
    if (accumulate) {
      loadC(temporary(1), v);
      asm.op(VADDPS, y, temporary(1), y);
    }
    storeC(v, y);
  }

  /** Without mask registers, those of B, idle outside of the loop, hold the lanes of C. */
  private void loadLaneMasks() {
    if (evex) {
      return;
    }
    asm.mov(cRow, arguments);
    asm.add(cRow, argument(TileArguments.COLUMNS));
    for (int v = 0; v < VECTORS; v++) {
      asm.op(VMOVUPS, right(v), Mem.at(cRow, v * vectorBytes));
    }
  }

  private void loadC(Vec to, int v) {
    Mem from = Mem.at(cRow, v * vectorBytes);
    if (evex) {
      asm.load(VMOVUPS, to, mask(v), from);
    } else {
      asm.op(VMASKMOVPS, to, right(v), from);
    }
  }

  private void storeC(int v, Vec from) {
    Mem to = Mem.at(cRow, v * vectorBytes);
    if (evex) {
      asm.store(S_VMOVUPS, to, mask(v), from);
    } else {
      asm.store(S_VMASKMOVPS, to, right(v), from);
    }
  }

  private static Mask mask(int v) {
    return v == 0 ? Mask.K1 : Mask.K2;
  }

  /** After the rows, {@code cRow} stands at the next tile's first. */
  private void nextTile() {
    asm.mov(c, cRow);
    asm.add(row, kind.rows() * Integer.BYTES);
    if (kind.left() == Left.PACKED) {
      asm.add(tile, stride);
    } else {
      asm.mov32(count, kind.rows());
      asm.imul(count, stride);
      asm.add(tile, count);
    }
  }

  // Vector registers: the sums first, behind them two of B and two temporary ones

  private Vec sum(int r, int v) {
    return vec(r * VECTORS + v);
  }

  private Vec right(int v) {
    return vec(kind.set().tileRows * VECTORS + v);
  }

  private Vec temporary(int i) {
    return vec((kind.set().tileRows + 1) * VECTORS + i);
  }

  private Vec vec(int number) {
    return new Vec(number, vectorBytes);
  }
}
