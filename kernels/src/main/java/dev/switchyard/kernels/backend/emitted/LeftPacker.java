package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.data.QuantizedMatrix;
import java.lang.foreign.MemorySegment;

/** Places blocks of A: where they are if the tile can read that, else packed. */
final class LeftPacker {
  /** Rows this far apart share a set of the L1 cache: more of them than it has ways evict it. */
  private static final int L1_PERIOD = 4096;

  private static final int L1_WAYS = 8;

  private final EmittedCode code;
  private final Target target;

  LeftPacker(EmittedCode code) {
    this.code = code;
    this.target = code.target();
  }

  /** Points the workspace at a block of A: in place if the tile can read it, else packed. */
  Left place(Product p, Workspace w, Dot dot, int row, int tileRows, int tiles, int k, int depth) {
    if (depth == 0) {
      w.usePacked(0);
      return Left.ROWS;
    }
    w.region.of(p.a(), p.b().type(), dot);
    if (p.transposesA()) {
      if (target.usesTileRegisters(dot)) {
        packTransposedLeft(dot, w, row, tileRows, tiles, k, depth);
      } else {
        packLeftTiles(dot, w, row, tileRows, tiles, k, depth);
      }
      return Left.PACKED;
    }
    int rows = tiles * tileRows;
    Conversion direct = w.region.direct();
    // Tiles are loaded by rows of 64 bytes, which in an array straddle two cache lines each.
    boolean whole = direct != null && direct.keepsRows() && !target.usesTileRegisters(dot);
    boolean padded = p.a() instanceof QuantizedMatrix; // its rows end with room to read
    if (whole && (padded || depth % dot.group == 0)) {
      w.region.set(row, rows, k, depth, rows, depth, false);
      if (tileRows <= L1_WAYS || w.region.place().stride() % L1_PERIOD != 0) {
        w.useRegion();
        return Left.ROWS;
      }
    }
    packLeftRows(dot, w, row, rows, k, depth);
    return Left.ROWS;
  }

  /** Rows as they are, converted, far enough apart. */
  private void packLeftRows(Dot dot, Workspace w, int row, int rows, int k, int depth) {
    int turns = Math.ceilDiv(dot.groups(depth), target.lanes());
    long stride = (long) turns * target.vectorBytes();
    stride += stride % L1_PERIOD == 0 ? target.vectorBytes() : 0;
    w.reservePacked(rows * stride);
    int read = turns * target.lanes() * dot.group;
    int most = Units.rowsACall(read);
    w.pack.setFlips(0, PackArguments.FLIP_BYTES);
    boolean zeros = depth % (dot.group * target.stepGroups(dot)) != 0;
    for (int i = 0; i < rows; i += most) {
      int count = Math.min(most, rows - i);
      w.region.set(row + i, count, k, depth, count, read, zeros);
      Operand to = w.packedTarget(i * stride, stride);
      w.region.pack(code, Layout.ROWS, count, turns, w.pack, 0, to);
    }
    w.usePacked(stride);
  }

  /** Tiles of the transposed A: rows of the product are columns of the operand. */
  private void packLeftTiles(
      Dot dot, Workspace w, int row, int tileRows, int tiles, int k, int depth) {
    long stride = (long) dot.groups(depth) * target.vectorBytes();
    w.reservePacked(tiles * stride);
    interleave(dot, w, row, 0, tileRows, tiles, k, depth, 0, stride);
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
      long offset,
      long stride) {
    int read = (tiles - 1) * tileRows + target.lanes();
    int cols = Math.min(read, tiles * tileRows - first);
    int most = Units.roundUp(Units.rowsACall(read), dot.group);
    w.pack.setFlips(0, PackArguments.FLIP_BYTES);
    for (int i = 0, count; i < depth; i += count) {
      count = Units.whole(depth - i, dot.group, most);
      int readRows = Units.roundUp(count, dot.group);
      w.region.set(k + i, count, row + first, cols, readRows, read, count < readRows);
      long at = offset + (long) i / dot.group * target.vectorBytes();
      w.region.pack(
          code,
          Layout.INTERLEAVED_TILES,
          readRows / dot.group,
          tiles,
          w.pack,
          tileRows,
          w.packedTarget(at, stride));
    }
  }

  /**
   * The same for tile registers, which want rows of groups: after interleaving, squares of 16
   * groups by 16 rows are transposed. The halves of a tile follow one another.
   */
  private void packTransposedLeft(
      Dot dot, Workspace w, int row, int tileRows, int tiles, int k, int depth) {
    int halves = Math.ceilDiv(tileRows, RegisterTileArguments.HALF);
    int groups = dot.groups(depth);
    int pairs = Math.ceilDiv(groups, 2 * RegisterTileArguments.STEP);
    long halfBytes = (long) pairs * RegisterTileArguments.PAIR_BYTES;
    long total = halfBytes * tiles * halves;
    MemorySegment memory = w.reservePacked(2 * total); // the result, then what is interleaved
    for (int half = 0; half < halves; half++) {
      int first = half * RegisterTileArguments.HALF;
      long offset = total + half * halfBytes;
      interleave(dot, w, row, first, tileRows, tiles, k, depth, offset, halves * halfBytes);
    }
    long filled = (long) groups * target.vectorBytes();
    for (int part = 0; part < tiles * halves; part++) {
      long at = part * halfBytes;
      if (filled < halfBytes) {
        memory.asSlice(total + at + filled, halfBytes - filled).fill((byte) 0);
      }
      for (int pair = 0; pair < pairs; pair++, at += RegisterTileArguments.PAIR_BYTES) {
        code.pack(
            Conversion.FLOAT32, // groups, whatever is in them
            Layout.TRANSPOSED_PANEL,
            Target.PANEL_VECTORS,
            1,
            w.pack,
            w.packedSource(total + at, target.vectorBytes()),
            0,
            w.packedTarget(at, 0));
      }
    }
    w.usePacked(halfBytes);
  }
}
