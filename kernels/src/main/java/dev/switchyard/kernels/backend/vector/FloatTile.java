package dev.switchyard.kernels.backend.vector;

import static dev.switchyard.kernels.backend.vector.Species.FLOAT;
import static dev.switchyard.kernels.backend.vector.Species.LANES;

import jdk.incubator.vector.FloatVector;

/**
 * The register tile of every product: 12 rows by 2 vectors, 24 accumulators of the 32 registers.
 *
 * <pre>
 *             b0     b1        one row of the panel of B, 2 vectors
 *   a[0]     c00    c01
 *   a[1]     c10    c11        a[r] is broadcast to all lanes
 *    ...     ...    ...
 *   a[11]    cb0    cb1
 * </pre>
 *
 * Each k costs 24 multiply-adds, 2 loads and 12 broadcasts: 14 loads in the 12 cycles that two
 * multiply-add ports need, so the ports are the limit. The sums of one tile lie together in {@code
 * acc}.
 */
final class FloatTile {
  static final int ROWS = 12;
  static final int COLS = 2 * LANES;
  static final int SIZE = ROWS * COLS;

  private FloatTile() {}

  /**
   * {@code to[r][c] = from[r][c] + sum over k of a[k][r] b[k][c]}, as one chain of fused
   * multiply-adds for k ascending.
   *
   * <p>Along the way it reads {@code b[next + k nextStep]}: Java has no prefetch, and the first
   * tile of a panel ran at two thirds of the speed of the others, which find the panel in L2.
   *
   * @param a k rows of {@link #ROWS}
   * @param b k rows of {@link #COLS}
   * @param from {@link #ROWS} rows of {@link #COLS}
   * @param to the same
   * @return the sum of what was read ahead, so that the reads are not optimized away
   */
  static float multiplyAdd(
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      int inner,
      float[] from,
      int fromOffset,
      float[] to,
      int toOffset,
      int next,
      int nextStep) {
    FloatVector c00 = FloatVector.fromArray(FLOAT, from, fromOffset);
    FloatVector c01 = FloatVector.fromArray(FLOAT, from, fromOffset + LANES);
    FloatVector c10 = FloatVector.fromArray(FLOAT, from, fromOffset + 1 * COLS);
    FloatVector c11 = FloatVector.fromArray(FLOAT, from, fromOffset + 1 * COLS + LANES);
    FloatVector c20 = FloatVector.fromArray(FLOAT, from, fromOffset + 2 * COLS);
    FloatVector c21 = FloatVector.fromArray(FLOAT, from, fromOffset + 2 * COLS + LANES);
    FloatVector c30 = FloatVector.fromArray(FLOAT, from, fromOffset + 3 * COLS);
    FloatVector c31 = FloatVector.fromArray(FLOAT, from, fromOffset + 3 * COLS + LANES);
    FloatVector c40 = FloatVector.fromArray(FLOAT, from, fromOffset + 4 * COLS);
    FloatVector c41 = FloatVector.fromArray(FLOAT, from, fromOffset + 4 * COLS + LANES);
    FloatVector c50 = FloatVector.fromArray(FLOAT, from, fromOffset + 5 * COLS);
    FloatVector c51 = FloatVector.fromArray(FLOAT, from, fromOffset + 5 * COLS + LANES);
    FloatVector c60 = FloatVector.fromArray(FLOAT, from, fromOffset + 6 * COLS);
    FloatVector c61 = FloatVector.fromArray(FLOAT, from, fromOffset + 6 * COLS + LANES);
    FloatVector c70 = FloatVector.fromArray(FLOAT, from, fromOffset + 7 * COLS);
    FloatVector c71 = FloatVector.fromArray(FLOAT, from, fromOffset + 7 * COLS + LANES);
    FloatVector c80 = FloatVector.fromArray(FLOAT, from, fromOffset + 8 * COLS);
    FloatVector c81 = FloatVector.fromArray(FLOAT, from, fromOffset + 8 * COLS + LANES);
    FloatVector c90 = FloatVector.fromArray(FLOAT, from, fromOffset + 9 * COLS);
    FloatVector c91 = FloatVector.fromArray(FLOAT, from, fromOffset + 9 * COLS + LANES);
    FloatVector ca0 = FloatVector.fromArray(FLOAT, from, fromOffset + 10 * COLS);
    FloatVector ca1 = FloatVector.fromArray(FLOAT, from, fromOffset + 10 * COLS + LANES);
    FloatVector cb0 = FloatVector.fromArray(FLOAT, from, fromOffset + 11 * COLS);
    FloatVector cb1 = FloatVector.fromArray(FLOAT, from, fromOffset + 11 * COLS + LANES);
    float ahead = 0;
    int ai = aOffset;
    int bi = bOffset;
    for (int k = 0; k < inner; k++) {
      FloatVector b0 = FloatVector.fromArray(FLOAT, b, bi);
      FloatVector b1 = FloatVector.fromArray(FLOAT, b, bi + LANES);
      FloatVector a0 = FloatVector.broadcast(FLOAT, a[ai]);
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      FloatVector a1 = FloatVector.broadcast(FLOAT, a[ai + 1]);
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      FloatVector a2 = FloatVector.broadcast(FLOAT, a[ai + 2]);
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      FloatVector a3 = FloatVector.broadcast(FLOAT, a[ai + 3]);
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
      FloatVector a4 = FloatVector.broadcast(FLOAT, a[ai + 4]);
      c40 = a4.fma(b0, c40);
      c41 = a4.fma(b1, c41);
      FloatVector a5 = FloatVector.broadcast(FLOAT, a[ai + 5]);
      c50 = a5.fma(b0, c50);
      c51 = a5.fma(b1, c51);
      FloatVector a6 = FloatVector.broadcast(FLOAT, a[ai + 6]);
      c60 = a6.fma(b0, c60);
      c61 = a6.fma(b1, c61);
      FloatVector a7 = FloatVector.broadcast(FLOAT, a[ai + 7]);
      c70 = a7.fma(b0, c70);
      c71 = a7.fma(b1, c71);
      FloatVector a8 = FloatVector.broadcast(FLOAT, a[ai + 8]);
      c80 = a8.fma(b0, c80);
      c81 = a8.fma(b1, c81);
      FloatVector a9 = FloatVector.broadcast(FLOAT, a[ai + 9]);
      c90 = a9.fma(b0, c90);
      c91 = a9.fma(b1, c91);
      FloatVector aa = FloatVector.broadcast(FLOAT, a[ai + 10]);
      ca0 = aa.fma(b0, ca0);
      ca1 = aa.fma(b1, ca1);
      FloatVector ab = FloatVector.broadcast(FLOAT, a[ai + 11]);
      cb0 = ab.fma(b0, cb0);
      cb1 = ab.fma(b1, cb1);
      ahead += b[next];
      next += nextStep;
      ai += ROWS;
      bi += COLS;
    }
    c00.intoArray(to, toOffset);
    c01.intoArray(to, toOffset + LANES);
    c10.intoArray(to, toOffset + 1 * COLS);
    c11.intoArray(to, toOffset + 1 * COLS + LANES);
    c20.intoArray(to, toOffset + 2 * COLS);
    c21.intoArray(to, toOffset + 2 * COLS + LANES);
    c30.intoArray(to, toOffset + 3 * COLS);
    c31.intoArray(to, toOffset + 3 * COLS + LANES);
    c40.intoArray(to, toOffset + 4 * COLS);
    c41.intoArray(to, toOffset + 4 * COLS + LANES);
    c50.intoArray(to, toOffset + 5 * COLS);
    c51.intoArray(to, toOffset + 5 * COLS + LANES);
    c60.intoArray(to, toOffset + 6 * COLS);
    c61.intoArray(to, toOffset + 6 * COLS + LANES);
    c70.intoArray(to, toOffset + 7 * COLS);
    c71.intoArray(to, toOffset + 7 * COLS + LANES);
    c80.intoArray(to, toOffset + 8 * COLS);
    c81.intoArray(to, toOffset + 8 * COLS + LANES);
    c90.intoArray(to, toOffset + 9 * COLS);
    c91.intoArray(to, toOffset + 9 * COLS + LANES);
    ca0.intoArray(to, toOffset + 10 * COLS);
    ca1.intoArray(to, toOffset + 10 * COLS + LANES);
    cb0.intoArray(to, toOffset + 11 * COLS);
    cb1.intoArray(to, toOffset + 11 * COLS + LANES);
    return ahead;
  }
}
