package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.backend.x86.PackGenerator.Layout;
import dev.switchyard.kernels.backend.x86.TileGenerator.Left;
import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Result;
import dev.switchyard.kernels.parallel.Workspaces;
import java.lang.foreign.MemorySegment;

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
final class X86Matmul implements MatmulKernel {
  /** Tiles a call. More of them do not pay, unless k is so short that the call itself counts. */
  private static final int MAX_TILES = 12;

  /** Groups of rows in a call, about 25 us: what MAX_TILES gives way to. */
  private static final int SHORT_CALL = 1 << 15;

  /** As above, about 100 us: arrays hold the collector back for no longer than that. */
  private static final int LONG_CALL = 1 << 17;

  /** Rows this far apart share a set of the L1 cache: more of them than it has ways evict it. */
  private static final int L1_PERIOD = 4096;

  private static final int L1_WAYS = 8;

  /** Bytes of an operand that one packing call reads, for the collector's sake. */
  private static final int PACK_BYTES = 1 << 19;

  private static final int BIAS_OF_RIGHT = 128;

  private final EmittedCode code;
  private final InstructionSet set;
  private final boolean bfloat16;
  private final long l2Bytes;
  private final Workspaces<Workspace> workspaces;

  X86Matmul(EmittedCode code, boolean bfloat16, long l2Bytes) {
    this.code = code;
    this.set = code.set();
    this.bfloat16 = bfloat16;
    this.l2Bytes = Math.max(Cpu.LEAST_L2_BYTES, l2Bytes);
    this.workspaces = new Workspaces<>(() -> new Workspace(set));
  }

  @Override
  public int panelCols() {
    return set.panelCols();
  }

  @Override
  public int tileRows() {
    return set.tileRows(set.int8());
  }

  private void giveBack(Workspace w) {
    w.clear();
    workspaces.giveBack(w);
  }

  /** The instruction that multiplies a type. */
  Dot dot(ElementType type) {
    return switch (type) {
      case INT8 -> set.int8();
      case BFLOAT16 -> bfloat16 ? Dot.BFLOAT16 : Dot.FLOAT32;
      case FLOAT32 -> Dot.FLOAT32;
    };
  }

  // Packing B

  @Override
  public void reserve(PackedMatrix out) {
    out.reserveMemory(out.panelCount() * panelBytes(out));
  }

  /** A panel ends with a whole square, which transposing writes. */
  private long panelBytes(PackedMatrix b) {
    int squares = Math.ceilDiv(dot(b.type()).groups(b.inner()), set.lanes());
    return (long) squares * set.lanes() * set.panelGroupBytes();
  }

  @Override
  public void pack(Matrix b, int rowBegin, int rowEnd, PackedMatrix out) {
    Workspace w = workspaces.take();
    w.region.of(b, out.type(), dot(out.type()));
    if (out.form() == Form.NT) {
      for (int row = rowBegin; row < rowEnd; row += set.panelCols()) {
        packPanel(w, b.cols(), row, Math.min(set.panelCols(), rowEnd - row), out);
      }
    } else {
      packRows(w, b.cols(), rowBegin, rowEnd, out);
    }
    giveBack(w);
  }

  /**
   * One panel from rows that are its columns, square by square. Columns past the last vector that
   * is in use keep what the memory held: they are multiplied, but not stored.
   */
  private void packPanel(Workspace w, int inner, int row, int rows, PackedMatrix out) {
    Dot dot = dot(out.type());
    int square = set.lanes() * dot.group;
    int readRows = roundUp(rows, set.lanes());
    int most = roundUp(PACK_BYTES / Float.BYTES / set.panelCols(), square);
    for (int k = 0, depth; k < inner; k += depth) {
      depth = wholeUnits(inner - k, square, most);
      int readCols = roundUp(depth, square);
      w.region.set(row, rows, k, depth, readRows, readCols, true);
      w.pack.setFlips(depth < square ? depth : set.vectorBytes, PackArguments.FLIP_BYTES);
      pack(
          w,
          Layout.TRANSPOSED_PANEL,
          readRows / set.lanes(),
          readCols / square,
          0,
          out.memory(),
          row / set.panelCols() * panelBytes(out) + (long) k / dot.group * set.panelGroupBytes(),
          0);
    }
  }

  /** All panels from rows of k. */
  private void packRows(Workspace w, int cols, int rowBegin, int rowEnd, PackedMatrix out) {
    Dot dot = dot(out.type());
    int most = roundUp(Math.max(1, PACK_BYTES / Float.BYTES / cols), dot.group);
    int readCols = out.panelCount() * set.panelCols();
    for (int k = rowBegin, depth; k < rowEnd; k += depth) {
      depth = wholeUnits(rowEnd - k, dot.group, most);
      int readRows = roundUp(depth, dot.group);
      w.region.set(k, depth, 0, cols, readRows, readCols, depth < readRows);
      // In a group that is not full, the bytes past k stay 0: they then count for nothing.
      w.pack.setFlips(depth < readRows ? depth : dot.group, dot.group);
      pack(
          w,
          Layout.INTERLEAVED_PANELS,
          readRows / dot.group,
          out.panelCount(),
          set.panelCols(),
          out.memory(),
          (long) k / dot.group * set.panelGroupBytes(),
          panelBytes(out));
    }
    if (rowEnd == out.inner()) {
      endPanels(dot, out);
    }
  }

  /** Zeros from the last group to the end of its step. */
  private void endPanels(Dot dot, PackedMatrix out) {
    int groups = dot.groups(out.inner());
    int end = roundUp(groups, set.stepGroups(dot));
    for (int panel = 0; panel < out.panelCount() && groups < end; panel++) {
      long from = panel * panelBytes(out) + (long) groups * set.panelGroupBytes();
      out.memory().asSlice(from, (long) (end - groups) * set.panelGroupBytes()).fill((byte) 0);
    }
  }

  /** Packs the region; see {@link PackGenerator}. */
  private void pack(
      Workspace w,
      Layout layout,
      int outer,
      int inner,
      int colsAStep,
      MemorySegment target,
      long targetOffset,
      long targetStride) {
    Region region = w.region;
    code.pack(
        region.conversion(),
        layout,
        outer,
        inner,
        w.pack,
        region.segment(),
        region.offset(),
        region.stride(),
        (long) colsAStep * region.conversion().sourceBytes,
        target,
        targetOffset,
        targetStride);
  }

  /** As many whole units as there are, up to {@code most}, and at the end what is left of one. */
  private static int wholeUnits(int left, int unit, int most) {
    return left < unit ? left : Math.min(most, left / unit * unit);
  }

  // Multiplying

  @Override
  public void multiply(Product p, int rowBegin, int rowEnd, int panelBegin, int panelEnd) {
    int rows = rowEnd - rowBegin;
    int tiles = Math.ceilDiv(rows, set.tileRows(dot(p.b().type())));
    int small = rows / tiles;
    int larger = rows % tiles;
    int split = rowBegin + larger * (small + 1);
    Workspace w = workspaces.take();
    blocks(p, w, small + 1, larger, rowBegin, panelBegin, panelEnd);
    blocks(p, w, small, tiles - larger, split, panelBegin, panelEnd);
    giveBack(w);
  }

  /** Tiles of one size. */
  private void blocks(
      Product p, Workspace w, int tileRows, int tiles, int row, int panelBegin, int panelEnd) {
    Dot dot = dot(p.b().type());
    int inner = p.inner();
    boolean whole = dot.isInteger() || p.halves() != null; // sums do not wait in C
    int blocks = whole ? 1 : innerBlocks(dot.groups(inner));
    int blockInner = roundUp(Math.ceilDiv(inner, blocks), dot.group * set.stepGroups(dot));
    int most = tilesABlock(tileRows, dot.groups(blockInner));
    for (int tile = 0; tile < tiles; tile += most) {
      int count = Math.min(most, tiles - tile);
      int first = row + tile * tileRows;
      setRows(p, w, dot, first, count * tileRows);
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
    int limit = (int) Math.min(Integer.MAX_VALUE / 2, l2Bytes / 8 / set.panelGroupBytes());
    return groups <= limit + limit / 2 ? 1 : Math.ceilDiv(groups, limit);
  }

  private int tilesABlock(int tileRows, int groups) {
    long groupsATile = Math.max(1, (long) tileRows * groups);
    int most = (int) Math.max(MAX_TILES, SHORT_CALL / groupsATile);
    long fit = Math.min(l2Bytes * 3 / 8 / Integer.BYTES, LONG_CALL) / groupsATile;
    return Math.clamp(fit, 1, Math.min(most, TileArguments.MAX_ROWS / tileRows));
  }

  private void setRows(Product p, Workspace w, Dot dot, int row, int rows) {
    if (!dot.isInteger()) {
      return;
    }
    QuantizedMatrix a = (QuantizedMatrix) p.a();
    for (int i = 0; i < rows; i++) {
      w.tile.setFloat(TileArguments.ROW_SCALES, i, p.rowScale(row + i));
      if (!p.transposesA()) {
        w.tile.setInt(TileArguments.ROW_CORRECTIONS, i, -BIAS_OF_RIGHT * a.rowSums()[row + i]);
      }
    }
    if (p.transposesA() && dot.isBiased()) {
      w.correctTransposed(a, row, rows, BIAS_OF_RIGHT);
    }
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
    int groups = dot.groups(depth);
    Left left = setLeft(p, w, dot, row, tileRows, tiles, k, depth);
    Epilogue epilogue = p.epilogue();
    boolean accumulate = epilogue.accumulate() || k > 0;
    int mode = accumulate ? TileArguments.ACCUMULATE : TileArguments.STORE;
    mode |= p.ints() == null ? 0 : TileArguments.INTEGERS;
    w.tile.set(TileArguments.MODE, mode);
    long panelBytes = panelBytes(p.b());
    long begin = (long) k / dot.group * set.panelGroupBytes();
    MemorySegment b = p.b().memory();
    Result result = p.c();
    boolean halves = result instanceof Bfloat16Matrix; // by way of a panel of floats
    MemorySegment c =
        switch (result) {
          case FloatMatrix floats -> w.result.of(floats.data());
          case IntMatrix ints -> w.result.of(ints.data());
          case Bfloat16Matrix _ -> w.reserveUnrounded(tiles * tileRows * set.panelCols());
        };
    int cRow = halves ? 0 : result.rowIndex(row);
    long cStride = (long) Float.BYTES * (halves ? set.panelCols() : result.rowStride());
    if (set.usesTiles(dot)) {
      w.amx.set(AmxArguments.MODE, mode);
      amxBlock(p, w, dot, left, row, tileRows, tiles, depth, begin, c, panelBegin, panelEnd, last);
      return;
    }
    for (int panel = panelBegin; panel < panelEnd; panel++) {
      int col = panel * set.panelCols();
      int cols = Math.min(set.panelCols(), p.cols() - col);
      int next = panel + 1 < panelEnd ? panel + 1 : panelBegin;
      setColumns(p, w, col, cols, last ? epilogue.bias() : null);
      w.tile.set(TileArguments.AHEAD_OFFSET, next * panelBytes + begin);
      if (result instanceof Bfloat16Matrix c16 && accumulate) {
        widen(w, c16, row, tiles * tileRows, col, cols);
      }
      code.tile(
          dot,
          left,
          tileRows,
          tiles,
          groups,
          w.tile,
          w.left(),
          w.leftOffset(),
          w.leftStride(),
          b,
          panel * panelBytes + begin,
          c,
          halves ? 0 : (long) Float.BYTES * (cRow + col),
          cStride,
          cols);
      if (result instanceof Bfloat16Matrix c16) {
        round(w, c16, row, tiles * tileRows, col, cols);
      }
    }
  }

  /**
   * The same on tile registers: some panels, which stay in L2, with one tile of A after the other.
   * A bfloat16 result goes by way of floats, a panel of a tile at a time.
   */
  private void amxBlock(
      Product p,
      Workspace w,
      Dot dot,
      Left left,
      int row,
      int tileRows,
      int tiles,
      int depth,
      long begin,
      MemorySegment c,
      int panelBegin,
      int panelEnd,
      boolean last) {
    long panelBytes = panelBytes(p.b());
    Result result = p.c();
    Bfloat16Matrix c16 = result instanceof Bfloat16Matrix h ? h : null;
    long fit = l2Bytes / 2 / Math.max(1, (long) dot.groups(depth) * set.panelGroupBytes());
    int most = c16 != null ? 1 : Math.clamp(fit, 1, AmxArguments.MAX_PANELS);
    for (int panel = panelBegin, panels; panel < panelEnd; panel += panels) {
      panels = Math.min(most, panelEnd - panel);
      int col = panel * set.panelCols();
      int lastCol = col + (panels - 1) * set.panelCols();
      int cols = Math.min(set.panelCols(), p.cols() - lastCol);
      w.setAmxColumns(p, col, lastCol + cols, last ? p.epilogue().bias() : null);
      for (int tile = 0; tile < tiles; tile++) {
        int first = row + tile * tileRows;
        w.setAmxRows(tile * tileRows, tileRows);
        if (c16 != null && w.amx.accumulates()) {
          widen(w, c16, first, tileRows, col, cols);
        }
        code.amx(
            dot,
            left,
            tileRows,
            panels,
            dot.groups(depth),
            w.amx,
            w.left(),
            w.leftOffset()
                + tile
                    * w.leftStride()
                    * (left == Left.PACKED ? Math.ceilDiv(tileRows, AmxGenerator.HALF) : tileRows),
            w.leftStride(),
            p.b().memory(),
            panel * panelBytes + begin,
            panelBytes,
            c,
            c16 != null ? 0 : (long) Float.BYTES * (result.rowIndex(first) + col),
            (long) Float.BYTES * (c16 != null ? set.panelCols() : result.rowStride()),
            cols);
        if (c16 != null) {
          round(w, c16, first, tileRows, col, cols);
        }
      }
    }
  }

  /** Starts the panel of a bfloat16 result with what it holds. */
  private void widen(Workspace w, Bfloat16Matrix c, int row, int rows, int col, int cols) {
    for (int i = 0; i < rows; i++) {
      int from = c.rowIndex(row + i) + col;
      int to = i * set.panelCols();
      for (int j = 0; j < cols; j++) {
        w.unrounded()[to + j] = Bfloat16.toFloat(c.data()[from + j]);
      }
    }
  }

  /**
   * Rounds the panel of a bfloat16 result, which is still in L1. The instruction flushes subnormal
   * numbers to zero.
   */
  private void round(Workspace w, Bfloat16Matrix c, int row, int rows, int col, int cols) {
    int panelCols = set.panelCols();
    boolean whole = cols == panelCols;
    if (bfloat16) {
      code.pack(
          PackGenerator.Conversion.FLOAT32_TO_BFLOAT16,
          Layout.ROWS,
          rows,
          1,
          w.pack,
          w.reserveUnrounded(rows * panelCols),
          0,
          (long) Float.BYTES * panelCols,
          0,
          whole ? w.result.of(c.data()) : w.ofRounded(),
          whole ? (long) Short.BYTES * (c.rowIndex(row) + col) : 0,
          (long) Short.BYTES * (whole ? c.rowStride() : panelCols));
    }
    for (int i = 0; i < rows && !(bfloat16 && whole); i++) {
      int from = i * panelCols;
      int to = c.rowIndex(row + i) + col;
      for (int j = 0; j < cols; j++) {
        c.data()[to + j] =
            bfloat16 ? w.rounded()[from + j] : Bfloat16.fromFloat(w.unrounded()[from + j]);
      }
    }
  }

  private static void setColumns(Product p, Workspace w, int col, int cols, float[] bias) {
    if (p.isInt8()) {
      p.b().copyScales(col, col + cols, w.columns);
      w.setColumnScales(cols);
    }
    w.setBias(bias, col, cols);
  }

  /** Points the workspace at a block of A: in place if the tile can read it, else packed. */
  private Left setLeft(
      Product p, Workspace w, Dot dot, int row, int tileRows, int tiles, int k, int depth) {
    if (depth == 0) {
      w.usePacked(0);
      return Left.ROWS;
    }
    w.region.of(p.a(), p.b().type(), dot);
    if (p.transposesA()) {
      if (set.usesTiles(dot)) {
        packTransposedLeft(dot, w, row, tileRows, tiles, k, depth);
      } else {
        packLeftTiles(dot, w, row, tileRows, tiles, k, depth);
      }
      return Left.PACKED;
    }
    int rows = tiles * tileRows;
    PackGenerator.Conversion direct = w.region.direct();
    // Tiles are loaded by rows of 64 bytes, which in an array straddle two cache lines each.
    boolean whole = direct != null && direct.keepsRows() && !set.usesTiles(dot);
    boolean padded = p.a() instanceof QuantizedMatrix; // its rows end with room to read
    if (whole && (padded || depth % dot.group == 0)) {
      w.region.set(row, rows, k, depth, rows, depth, false);
      if (tileRows <= L1_WAYS || w.region.stride() % L1_PERIOD != 0) {
        w.useRegion();
        return Left.ROWS;
      }
    }
    packLeftRows(dot, w, row, rows, k, depth);
    return Left.ROWS;
  }

  /** Rows as they are, converted, far enough apart. */
  private void packLeftRows(Dot dot, Workspace w, int row, int rows, int k, int depth) {
    int turns = Math.ceilDiv(dot.groups(depth), set.lanes());
    long stride = (long) turns * set.vectorBytes;
    stride += stride % L1_PERIOD == 0 ? set.vectorBytes : 0;
    MemorySegment target = w.reservePacked(rows * stride);
    int read = turns * set.lanes() * dot.group;
    int most = Math.max(1, PACK_BYTES / Float.BYTES / read);
    w.pack.setFlips(0, PackArguments.FLIP_BYTES);
    boolean zeros = depth % (dot.group * set.stepGroups(dot)) != 0;
    for (int i = 0; i < rows; i += most) {
      int count = Math.min(most, rows - i);
      w.region.set(row + i, count, k, depth, count, read, zeros);
      pack(w, Layout.ROWS, count, turns, 0, target, i * stride, stride);
    }
    w.usePacked(stride);
  }

  /** Tiles of the transposed A: rows of the product are columns of the operand. */
  private void packLeftTiles(
      Dot dot, Workspace w, int row, int tileRows, int tiles, int k, int depth) {
    long stride = (long) dot.groups(depth) * set.vectorBytes;
    MemorySegment target = w.reservePacked(tiles * stride);
    interleave(dot, w, row, 0, tileRows, tiles, k, depth, target, 0, stride);
    w.usePacked(stride);
  }

  /** Groups of k of each tile, from one of its rows on: a vector of rows a group. */
  private void interleave(
      Dot dot,
      Workspace w,
      int row,
      int first,
      int tileRows,
      int tiles,
      int k,
      int depth,
      MemorySegment target,
      long offset,
      long stride) {
    int read = (tiles - 1) * tileRows + set.lanes();
    int cols = Math.min(read, tiles * tileRows - first);
    int most = roundUp(Math.max(1, PACK_BYTES / Float.BYTES / read), dot.group);
    w.pack.setFlips(0, PackArguments.FLIP_BYTES);
    for (int i = 0, count; i < depth; i += count) {
      count = wholeUnits(depth - i, dot.group, most);
      int readRows = roundUp(count, dot.group);
      w.region.set(k + i, count, row + first, cols, readRows, read, count < readRows);
      pack(
          w,
          Layout.INTERLEAVED_TILES,
          readRows / dot.group,
          tiles,
          tileRows,
          target,
          offset + (long) i / dot.group * set.vectorBytes,
          stride);
    }
  }

  /**
   * The same for tile registers, which want rows of groups: after interleaving, squares of 16
   * groups by 16 rows are transposed. The halves of a tile follow one another.
   */
  private void packTransposedLeft(
      Dot dot, Workspace w, int row, int tileRows, int tiles, int k, int depth) {
    int halves = Math.ceilDiv(tileRows, AmxGenerator.HALF);
    int groups = dot.groups(depth);
    int pairs = Math.ceilDiv(groups, 2 * AmxGenerator.STEP);
    long halfBytes = (long) pairs * AmxGenerator.PAIR_BYTES;
    long total = halfBytes * tiles * halves;
    MemorySegment memory = w.reservePacked(2 * total); // the result, then what is interleaved
    for (int half = 0; half < halves; half++) {
      int first = half * AmxGenerator.HALF;
      long offset = total + half * halfBytes;
      interleave(dot, w, row, first, tileRows, tiles, k, depth, memory, offset, halves * halfBytes);
    }
    long filled = (long) groups * set.vectorBytes;
    for (int part = 0; part < tiles * halves; part++) {
      long at = part * halfBytes;
      if (filled < halfBytes) {
        memory.asSlice(total + at + filled, halfBytes - filled).fill((byte) 0);
      }
      for (int pair = 0; pair < pairs; pair++, at += AmxGenerator.PAIR_BYTES) {
        code.pack(
            PackGenerator.Conversion.FLOAT32, // groups, whatever is in them
            Layout.TRANSPOSED_PANEL,
            InstructionSet.PANEL_VECTORS,
            1,
            w.pack,
            memory,
            total + at,
            set.vectorBytes,
            0,
            memory,
            at,
            0);
      }
    }
    w.usePacked(halfBytes);
  }

  /** At most by {@code to - 1} more than the value: see {@code Bounds}. */
  private static int roundUp(int value, int to) {
    return Math.ceilDiv(value, to) * to;
  }
}
