package dev.switchyard.kernels.backend.vector;

import static dev.switchyard.kernels.backend.vector.Species.FLOAT;
import static dev.switchyard.kernels.backend.vector.Species.INT;
import static dev.switchyard.kernels.backend.vector.Species.LANES;
import static jdk.incubator.vector.VectorOperators.F2I;
import static jdk.incubator.vector.VectorOperators.I2F;

import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.parallel.Workspaces;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The loops around {@link FloatTile}. For each block of rows of C:
 *
 * <pre>
 *   for each block of k:        pack the rows of A        (96 x 1024 floats, in L2)
 *     for each panel of B:                                (1024 x 32 floats, in L2)
 *       for each tile of rows:  acc += A B                (12 x 32 sums, in registers)
 *                               after the last block of k: epilogue, acc to C
 * </pre>
 *
 * Sums wait in {@code acc} from one block of k to the next; int8 sums are flushed to int32 between
 * them, before a float could lose a bit. A sum is one chain of fused multiply-adds over k, whatever
 * the blocks of rows and panels; so blocks and threads cannot change it.
 */
final class VectorMatmul implements MatmulKernel {
  private static final int ROW_BLOCK = 8 * FloatTile.ROWS;
  private static final int INNER_BLOCK = 1024;

  /** Panels whose sums wait at a time: more would push the packed rows out of L2. */
  private static final int PANEL_BLOCK = 1024 / FloatTile.COLS;

  /**
   * So many products of int8 values in [-127, 127] sum to less than 2^24, which floats hold
   * exactly.
   */
  private static final int EXACT_PRODUCTS = 1040;

  static {
    if (INNER_BLOCK > EXACT_PRODUCTS) {
      throw new AssertionError("int8 sums of " + INNER_BLOCK + " products are not exact in float");
    }
  }

  private static final float[] ZEROS = new float[FloatTile.SIZE];

  private final Workspaces<Workspace> workspaces = new Workspaces<>(Workspace::new);

  /**
   * The buffers of one call: 0.4 MB, and as much again for each of long sums and long int8 sums.
   */
  private static final class Workspace {
    final float[] a = new float[ROW_BLOCK * INNER_BLOCK + LANES]; // + LANES: see Transpose
    final float[] scales = new float[FloatTile.COLS];
    final float[] bias = new float[FloatTile.COLS];
    final float[] line = new float[FloatTile.COLS];

    /** Where the tile's read-ahead goes, so that it is not optimized away. */
    @SuppressWarnings("UnusedVariable")
    float ahead;

    final Packing packing = new Packing();
    float[] acc = new float[FloatTile.SIZE];
    int[] ints = {};

    void reserve(int size, boolean integers) {
      if (acc.length < size) {
        acc = new float[size];
      }
      if (integers && ints.length < size) {
        ints = new int[size];
      }
    }
  }

  @Override
  public int panelCols() {
    return FloatTile.COLS;
  }

  @Override
  public int tileRows() {
    return FloatTile.ROWS;
  }

  @Override
  public void reserve(PackedMatrix out) {
    out.reserveArray();
  }

  @Override
  public void pack(Matrix b, int rowBegin, int rowEnd, PackedMatrix out) {
    Workspace w = workspaces.take();
    w.packing.packRight(b, rowBegin, rowEnd, out);
    workspaces.giveBack(w);
  }

  @Override
  public void multiply(Product p, int rowBegin, int rowEnd, int panelBegin, int panelEnd) {
    Workspace w = workspaces.take();
    int panelBlock = isLong(p) ? PANEL_BLOCK : panelEnd - panelBegin;
    for (int row = rowBegin; row < rowEnd; row += ROW_BLOCK) {
      int rows = Math.min(ROW_BLOCK, rowEnd - row);
      for (int panel = panelBegin; panel < panelEnd; panel += panelBlock) {
        block(p, w, row, rows, panel, Math.min(panelBlock, panelEnd - panel));
      }
    }
    workspaces.giveBack(w);
  }

  /** Whether sums wait from one block of k to the next. */
  private static boolean isLong(Product p) {
    return p.inner() > INNER_BLOCK;
  }

  private static void block(Product p, Workspace w, int row, int rows, int panel, int panels) {
    int tiles = (rows + FloatTile.ROWS - 1) / FloatTile.ROWS;
    boolean waits = isLong(p);
    boolean flushes = waits && p.isInt8();
    w.reserve(waits ? tiles * panels * FloatTile.SIZE : FloatTile.SIZE, flushes);
    // The tiles of a panel together read all of the next one ahead.
    int step = FloatTile.COLS / tiles;
    int k = 0;
    do { // once even if the inner dimension is empty: the epilogue is due
      int depth = Math.min(INNER_BLOCK, p.inner() - k);
      boolean first = k == 0;
      boolean last = k + depth == p.inner();
      w.packing.packLeft(p, row, rows, k, depth, w.a);
      for (int j = 0; j < panels; j++) {
        if (last && p.ints() == null) {
          loadColumns(p, w, (panel + j) * FloatTile.COLS);
        }
        int b = ((panel + j) * p.inner() + k) * FloatTile.COLS;
        int next = j + 1 < panels ? b + p.inner() * FloatTile.COLS : b;
        for (int i = 0; i < tiles; i++) {
          int acc = waits ? (j * tiles + i) * FloatTile.SIZE : 0;
          boolean fresh = first || flushes;
          w.ahead +=
              FloatTile.multiplyAdd(
                  w.a,
                  i * FloatTile.ROWS * depth,
                  p.b().array(),
                  b,
                  depth,
                  fresh ? ZEROS : w.acc,
                  fresh ? 0 : acc,
                  w.acc,
                  acc,
                  next + i * depth * step,
                  step);
          if (flushes) {
            flush(w.acc, w.ints, acc, first);
          }
          if (last) {
            int done = i * FloatTile.ROWS;
            int tileRows = Math.min(FloatTile.ROWS, rows - done);
            store(p, w, acc, flushes, row + done, tileRows, (panel + j) * FloatTile.COLS);
          }
        }
      }
      k += depth;
    } while (k < p.inner());
  }

  private static void flush(float[] acc, int[] ints, int offset, boolean first) {
    for (int i = offset; i < offset + FloatTile.SIZE; i += LANES) {
      IntVector sums = (IntVector) FloatVector.fromArray(FLOAT, acc, i).convert(F2I, 0);
      sums = first ? sums : sums.add(IntVector.fromArray(INT, ints, i));
      sums.intoArray(ints, i);
    }
  }

  private static void widen(int[] ints, float[] acc, int offset) {
    for (int i = offset; i < offset + FloatTile.SIZE; i += LANES) {
      ((FloatVector) IntVector.fromArray(INT, ints, i).convert(I2F, 0)).intoArray(acc, i);
    }
  }

  /** Writes the sums of a tile to C. */
  private static void store(
      Product p, Workspace w, int acc, boolean flushed, int row, int rows, int col) {
    int cols = Math.min(FloatTile.COLS, p.cols() - col);
    if (p.ints() == null) {
      if (flushed) {
        widen(w.ints, w.acc, acc);
      }
      for (int i = 0; i < rows; i++) {
        storeFloats(p, w, acc + i * FloatTile.COLS, row + i, col, cols);
      }
    } else {
      for (int i = 0; i < rows; i++) {
        storeInts(p, w, acc + i * FloatTile.COLS, flushed, row + i, col, cols);
      }
    }
  }

  private static void loadColumns(Product p, Workspace w, int col) {
    int cols = Math.min(FloatTile.COLS, p.cols() - col);
    p.b().copyScales(col, col + cols, w.scales);
    if (p.epilogue().bias() != null) {
      System.arraycopy(p.epilogue().bias(), col, w.bias, 0, cols);
    } else {
      Arrays.fill(w.bias, 0);
    }
  }

  /**
   * {@code y = fma(acc, scale, bias)}, which with a scale of 1 is exactly the float {@code acc +
   * bias}.
   */
  private static void storeFloats(Product p, Workspace w, int from, int row, int col, int cols) {
    FloatMatrix c = p.floats(); // null if C is bfloat16
    float rowScale = p.isInt8() ? p.rowScale(row) : 1;
    boolean accumulate = p.epilogue().accumulate();
    boolean full = c != null && cols == FloatTile.COLS;
    float[] out = full ? c.data() : w.line;
    int to = full ? c.rowIndex(row) + col : 0;
    for (int v = 0; v < FloatTile.COLS; v += LANES) {
      FloatVector scale = FloatVector.fromArray(FLOAT, w.scales, v).mul(rowScale);
      FloatVector y =
          FloatVector.fromArray(FLOAT, w.acc, from + v)
              .fma(scale, FloatVector.fromArray(FLOAT, w.bias, v));
      if (accumulate && full) {
        y = FloatVector.fromArray(FLOAT, out, to + v).add(y);
      }
      y.intoArray(out, to + v);
    }
    if (c == null) {
      storeBfloat16s(p.bfloat16s(), accumulate, w.line, row, col, cols);
    } else if (!full) {
      int index = c.rowIndex(row) + col;
      for (int j = 0; j < cols; j++) {
        c.data()[index + j] = accumulate ? c.data()[index + j] + w.line[j] : w.line[j];
      }
    }
  }

  private static void storeBfloat16s(
      Bfloat16Matrix c, boolean accumulate, float[] line, int row, int col, int cols) {
    int index = c.rowIndex(row) + col;
    for (int j = 0; j < cols; j++) {
      float y = accumulate ? Bfloat16.toFloat(c.data()[index + j]) + line[j] : line[j];
      c.data()[index + j] = Bfloat16.fromFloat(y);
    }
  }

  private static void storeInts(
      Product p, Workspace w, int from, boolean flushed, int row, int col, int cols) {
    IntMatrix c = p.ints();
    int index = c.rowIndex(row) + col;
    for (int j = 0; j < cols; j++) {
      int sum = flushed ? w.ints[from + j] : (int) w.acc[from + j];
      c.data()[index + j] = p.epilogue().accumulate() ? c.data()[index + j] + sum : sum;
    }
  }
}
