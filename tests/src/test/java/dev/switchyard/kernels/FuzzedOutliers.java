package dev.switchyard.kernels;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.SparseMatrix;

/** The operations on outliers, right and wrong. */
final class FuzzedOutliers {
  private FuzzedOutliers() {}

  static void split(FuzzDraw draw) {
    int rows = draw.size();
    int cols = draw.size();
    FloatMatrix x = draw.floats(rows, cols);
    FloatMatrix rest = draw.chance(4) ? x : draw.blank(draw.like(rows), draw.like(cols));
    float factor = draw.any(0.5f, 1f, 2.5f, Float.POSITIVE_INFINITY);
    if (draw.crooked(6)) {
      factor = draw.any(0f, -1f, Float.NaN);
    }
    float wanted = factor;
    draw.out.require(rest.rows() == rows && rest.cols() == cols && wanted > 0);
    draw.out.output(rest, FuzzCase.EXACT);
    FloatMatrix restOrNull = draw.orNull(rest);
    draw.out.call("split " + x, k -> k.outliers().split(x, wanted, new SparseMatrix(), restOrNull));
  }

  static void addProduct(FuzzDraw draw) {
    int rows = draw.size();
    int inner = draw.size();
    int cols = draw.size();
    SparseMatrix sparse = new SparseMatrix();
    FloatMatrix x = Matrices.gaussian(rows, inner, 1);
    Setup.serial("reference").outliers().split(x, 1.5f, sparse, Matrices.copy(x));
    FloatMatrix w = draw.floats(draw.like(inner), cols);
    FloatMatrix y = draw.floats(draw.like(rows), draw.like(cols));
    draw.out.require(w.rows() == inner && y.rows() == rows && y.cols() == cols);
    draw.out.output(y, FuzzCase.EXACT);
    FloatMatrix yOrNull = draw.orNull(y);
    draw.out.call("add product " + w, k -> k.outliers().addProduct(sparse, w, yOrNull));
  }
}
