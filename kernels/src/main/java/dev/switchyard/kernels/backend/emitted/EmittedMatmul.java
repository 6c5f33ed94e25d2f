package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.Result;
import dev.switchyard.kernels.parallel.Workspaces;

/**
 * The loops around the emitted tile:
 *
 * <pre>
 *   for each block of rows of A:             (some tiles, three eighths of L2)
 *     for each block of k:                   (float products only)
 *       A in place, or packed
 *       for each panel of B:                 one call: all tiles of the block with the panel
 * </pre>
 *
 * Rows are cut into tiles of two sizes that differ by one, so that no tile is nearly empty.
 */
final class EmittedMatmul implements MatmulKernel {
  /** Tiles a call. More of them do not pay, unless k is so short that the call itself counts. */
  private static final int MAX_TILES = 12;

  /** Groups of rows in a call, about 25 us: what MAX_TILES gives way to. */
  private static final int SHORT_CALL = 1 << 15;

  /** As above, about 100 us: arrays hold the collector back for no longer than that. */
  private static final int LONG_CALL = 1 << 17;

  private final EmittedCode code;
  private final Target target;
  private final long l2Bytes;
  private final LeftPacker left;
  private final RightPacker right;
  private final Workspaces<Workspace> workspaces;

  EmittedMatmul(EmittedCode code) {
    this.code = code;
    this.target = code.target();
    this.l2Bytes = target.l2Bytes();
    this.left = new LeftPacker(code);
    this.right = new RightPacker(code);
    this.workspaces = new Workspaces<>(() -> new Workspace(code));
  }

  @Override
  public int panelCols() {
    return target.panelCols();
  }

  @Override
  public int tileRows() {
    return target.tileRows(target.int8());
  }

  private void giveBack(Workspace w) {
    w.clear();
    workspaces.giveBack(w);
  }

  @Override
  public void reserve(PackedMatrix out) {
    right.reserve(out);
  }

  @Override
  public void pack(Matrix b, int rowBegin, int rowEnd, PackedMatrix out) {
    Workspace w = workspaces.take();
    right.pack(w, b, rowBegin, rowEnd, out);
    giveBack(w);
  }

  @Override
  public void multiply(Product p, int rowBegin, int rowEnd, int panelBegin, int panelEnd) {
    int rows = rowEnd - rowBegin;
    int tiles = Math.ceilDiv(rows, target.tileRows(target.dot(p.b().type())));
    int small = rows / tiles;
    int larger = rows % tiles;
    int split = rowBegin + larger * (small + 1);
    Workspace w = workspaces.take();
    w.b.set(p.b().memory(), 0, 0);
    switch (p.c()) {
      case FloatMatrix floats -> w.c.set(w.ofResult.of(floats.data()), 0, 0);
      case IntMatrix ints -> w.c.set(w.ofResult.of(ints.data()), 0, 0);
      case Bfloat16Matrix _ -> {} // by way of the memory of each block
    }
    blocks(p, w, small + 1, larger, rowBegin, panelBegin, panelEnd);
    blocks(p, w, small, tiles - larger, split, panelBegin, panelEnd);
    giveBack(w);
  }

  /** Tiles of one size. */
  private void blocks(
      Product p, Workspace w, int tileRows, int tiles, int row, int panelBegin, int panelEnd) {
    Dot dot = target.dot(p.b().type());
    int inner = p.inner();
    boolean whole = dot.isInteger() || p.c() instanceof Bfloat16Matrix; // sums do not wait in C
    int blocks = whole ? 1 : innerBlocks(dot.groups(inner));
    int blockInner = Units.roundUp(Math.ceilDiv(inner, blocks), dot.group * target.stepGroups(dot));
    int most = tilesABlock(tileRows, dot.groups(blockInner));
    for (int tile = 0; tile < tiles; tile += most) {
      int count = Math.min(most, tiles - tile);
      int first = row + tile * tileRows;
      w.epilogue.setRows(p, dot, first, count * tileRows);
      int k = 0;
      do { // once even if the inner dimension is empty: the epilogue is due
        int depth = Math.min(blockInner, inner - k);
        block(p, w, dot, first, tileRows, count, k, depth, panelBegin, panelEnd);
        k += depth;
      } while (k < inner);
    }
  }

  /**
   * Blocks of k of a float product, so that a panel takes an eighth of L2: beside it are the next
   * one, on its way, and the block of A. Up to half as much again is better left whole.
   */
  private int innerBlocks(int groups) {
    int limit = (int) Math.min(Integer.MAX_VALUE / 2, l2Bytes / 8 / target.panelGroupBytes());
    return groups <= limit + limit / 2 ? 1 : Math.ceilDiv(groups, limit);
  }

  private int tilesABlock(int tileRows, int groups) {
    long groupsATile = Math.max(1, (long) tileRows * groups);
    int most = (int) Math.max(MAX_TILES, SHORT_CALL / groupsATile);
    long fit = Math.min(l2Bytes * 3 / 8 / Integer.BYTES, LONG_CALL) / groupsATile;
    return Math.clamp(fit, 1, Math.min(most, TileArguments.MAX_ROWS / tileRows));
  }

  /** One block of rows and of k with all panels. */
  private void block(
      Product p,
      Workspace w,
      Dot dot,
      int row,
      int tileRows,
      int tiles,
      int k,
      int depth,
      int panelBegin,
      int panelEnd) {
    boolean last = k + depth == p.inner();
    Left layout = left.place(p, w, dot, row, tileRows, tiles, k, depth);
    boolean accumulate = p.epilogue().accumulate() || k > 0;
    int mode = accumulate ? TileArguments.ACCUMULATE : TileArguments.STORE;
    mode |= p.ints() == null ? 0 : TileArguments.INTEGERS;
    w.tile.set(TileArguments.MODE, mode);
    int rows = tiles * tileRows;
    float[] bias = last ? p.epilogue().bias() : null;
    long begin = (long) k / dot.group * target.panelGroupBytes();
    if (p.c() instanceof Bfloat16Matrix) {
      w.c.set(w.roundedPanel.reserve(rows), 0, 0);
    }
    if (target.usesTileRegisters(dot)) {
      w.registerTile.set(RegisterTileArguments.MODE, mode);
      registerBlock(
          p, w, dot, layout, row, tileRows, tiles, depth, begin, panelBegin, panelEnd, bias);
      return;
    }
    long panelBytes = right.panelBytes(p.b());
    for (int panel = panelBegin; panel < panelEnd; panel++) {
      int col = panel * target.panelCols();
      int cols = Math.min(target.panelCols(), p.cols() - col);
      int next = panel + 1 < panelEnd ? panel + 1 : panelBegin;
      w.epilogue.setColumns(p, col, cols, bias);
      w.tile.set(TileArguments.AHEAD_OFFSET, next * panelBytes + begin);
      w.b.at(panel * panelBytes + begin, 0);
      startResult(w, p.c(), accumulate, row, rows, col, cols);
      code.tile(dot, layout, tileRows, tiles, dot.groups(depth), w.tile, w.a(), w.b, w.c, cols);
      finishResult(w, p.c(), row, rows, col, cols);
    }
  }

  /** Points at some of C; of a bfloat16 result, at the panel that it goes by way of. */
  private void startResult(
      Workspace w, Result c, boolean accumulate, int row, int rows, int col, int cols) {
    if (c instanceof Bfloat16Matrix rounded) {
      w.c.at(0, (long) Float.BYTES * target.panelCols());
      if (accumulate) {
        w.roundedPanel.widen(rounded, row, rows, col, cols);
      }
    } else {
      long offset = (long) Float.BYTES * (c.rowIndex(row) + col);
      w.c.at(offset, (long) Float.BYTES * c.rowStride());
    }
  }

  private static void finishResult(Workspace w, Result c, int row, int rows, int col, int cols) {
    if (c instanceof Bfloat16Matrix rounded) {
      w.roundedPanel.round(rounded, row, rows, col, cols);
    }
  }

  /**
   * The same on tile registers: some panels, which stay in L2, with one tile of A after the other.
   * A bfloat16 result goes by way of floats, a panel of a tile at a time.
   */
  private void registerBlock(
      Product p,
      Workspace w,
      Dot dot,
      Left layout,
      int row,
      int tileRows,
      int tiles,
      int depth,
      long begin,
      int panelBegin,
      int panelEnd,
      float[] bias) {
    long panelBytes = right.panelBytes(p.b());
    int groups = dot.groups(depth);
    long fit = l2Bytes / 2 / Math.max(1, (long) groups * target.panelGroupBytes());
    int most =
        p.c() instanceof Bfloat16Matrix ? 1 : Math.clamp(fit, 1, RegisterTileArguments.MAX_PANELS);
    boolean packed = layout == Left.PACKED;
    int strides = packed ? Math.ceilDiv(tileRows, RegisterTileArguments.HALF) : tileRows;
    Operand a = w.a();
    w.tileOfA.set(a.memory(), 0, 0);
    for (int panel = panelBegin, panels; panel < panelEnd; panel += panels) {
      panels = Math.min(most, panelEnd - panel);
      int col = panel * target.panelCols();
      int lastCol = col + (panels - 1) * target.panelCols();
      int cols = Math.min(target.panelCols(), p.cols() - lastCol);
      w.epilogue.setRegisterColumns(p, col, lastCol + cols, bias);
      w.b.at(panel * panelBytes + begin, panelBytes);
      for (int tile = 0; tile < tiles; tile++) {
        int first = row + tile * tileRows;
        w.epilogue.setRegisterRows(tile * tileRows, tileRows);
        w.tileOfA.at(a.offset() + tile * a.stride() * strides, a.stride());
        startResult(w, p.c(), w.registerTile.accumulates(), first, tileRows, col, cols);
        code.registerTile(
            dot, layout, tileRows, panels, groups, w.registerTile, w.tileOfA, w.b, w.c, cols);
        finishResult(w, p.c(), first, tileRows, col, cols);
      }
    }
  }
}
