package dev.switchyard.kernels;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** The operations on rows by their indices, right and wrong. */
final class FuzzedRows {
  /** All values are at most 8, gates and scale too: three roundings of at most 8 * 8 * 3. */
  private static final double MIXED = 2 * RowOperation.gamma(4) * 8 * 8 * 3;

  private final FuzzDraw draw;
  private final FuzzCase out;
  private final int rows;
  private final int cols;
  private final int chosen;
  private final int[] index;

  private FuzzedRows(FuzzDraw draw) {
    this.draw = draw;
    this.out = draw.out;
    this.rows = draw.size();
    this.cols = draw.size();
    int[] some = IntStream.range(0, rows).filter(i -> draw.chance(3)).toArray();
    this.chosen = some.length;
    index = Arrays.copyOf(some, chosen + draw.below(3));
    if (chosen > 0 && draw.crooked(6)) {
      out.require(false);
      int at = draw.below(chosen);
      index[at] = draw.any(-1, Integer.MIN_VALUE, rows, Integer.MAX_VALUE);
    }
  }

  /** An argument that has to have so many rows. */
  private FloatMatrix input(int ofRows) {
    return like(draw.floats(draw.like(ofRows), draw.like(cols)), ofRows);
  }

  private FloatMatrix like(FloatMatrix m, int ofRows) {
    out.require(m.rows() == ofRows && m.cols() == cols);
    return m;
  }

  private FloatMatrix result(int ofRows) {
    return like(draw.blank(draw.like(ofRows), draw.like(cols)), ofRows);
  }

  private float[] gates() {
    if (draw.chance(4)) {
      return null;
    }
    float[] gates = draw.array(draw.like(chosen));
    out.require(gates.length >= chosen);
    return gates;
  }

  static void operation(FuzzDraw draw) {
    new FuzzedRows(draw).operation();
  }

  private void operation() {
    switch (draw.below(4)) {
      case 0 -> {
        FloatMatrix x = draw.floats(rows, cols);
        // However many rows the result has: that many indices are read.
        FloatMatrix y = draw.blank(chosen, draw.like(cols));
        out.require(y.cols() == cols);
        out.output(y, FuzzCase.EXACT);
        FloatMatrix yOrNull = draw.orNull(y);
        out.call("gather " + x, k -> k.indexedRows().gather(x, index, yOrNull));
      }
      case 1 -> {
        FloatMatrix x = draw.floats(chosen, cols);
        FloatMatrix y = draw.floats(rows, draw.like(cols));
        out.require(y.cols() == cols);
        out.output(y, FuzzCase.EXACT);
        FloatMatrix yOrNull = draw.orNull(y);
        out.call("scatter " + x, k -> k.indexedRows().scatterAdd(x, index, yOrNull));
      }
      case 2 -> mix();
      default -> mixBackward();
    }
  }

  private void mix() {
    FloatMatrix x = draw.floats(rows, cols);
    FloatMatrix b = draw.floats(chosen, draw.like(cols));
    out.require(b.cols() == cols);
    float[] gates = gates();
    FloatMatrix a = draw.chance(6) ? null : input(rows);
    FloatMatrix y = draw.chance(4) ? x : result(rows);
    out.output(y, bound(MIXED));
    float scale = draw.any(0f, 1f, 4f);
    FloatMatrix yOrNull = draw.orNull(y);
    out.call("mix " + x, k -> k.indexedRows().mix(x, b, index, gates, a, scale, yOrNull));
  }

  private void mixBackward() {
    FloatMatrix gy = input(rows);
    FloatMatrix x = draw.floats(rows, cols);
    FloatMatrix b = draw.floats(chosen, draw.like(cols));
    out.require(b.cols() == cols);
    float[] gates = gates();
    FloatMatrix gx = result(rows);
    FloatMatrix gb = result(chosen);
    out.output(gx, bound(MIXED));
    out.output(gb, bound(MIXED));
    float[] ggates = gates();
    if (ggates != null && ggates.length >= chosen) {
      out.output(ggates, 0, chosen, bound(2 * RowOperation.gamma(cols + 4) * cols * 8 * 16));
    }
    FloatMatrix gyOrNull = draw.orNull(gy);
    FloatMatrix gxOrNull = draw.orNull(gx);
    out.call(
        "mix backward " + x,
        k -> k.indexedRows().mixBackward(gyOrNull, x, b, index, gates, gxOrNull, gb, ggates));
  }

  private IntToDoubleFunction bound(double bound) {
    return draw.kind == FuzzDraw.Kind.NOT_FINITE ? FuzzCase.ANY : i -> bound;
  }
}
