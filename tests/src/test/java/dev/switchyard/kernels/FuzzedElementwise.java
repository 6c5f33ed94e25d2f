package dev.switchyard.kernels;

import dev.switchyard.kernels.RowOperation.Exponentials;
import dev.switchyard.kernels.RowOperation.Inputs;
import dev.switchyard.kernels.RowOperation.Moments;
import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;

/**
 * The element-wise operations, right and wrong. Bounds are those of {@link RowOperation} and {@link
 * ElementwiseTest}, twice, since the reference rounds too; results of inputs that are not finite
 * are checked for where they lie alone.
 */
final class FuzzedElementwise {
  private final FuzzDraw draw;
  private final FuzzCase out;
  private final int rows;
  private final int cols;

  private FuzzedElementwise(FuzzDraw draw) {
    this.draw = draw;
    this.out = draw.out;
    // Rows of no elements, as many as nothing could hold otherwise.
    boolean vast = draw.chance(1000);
    this.rows = vast ? 1 << 18 : draw.size();
    this.cols = vast ? 0 : draw.size();
  }

  // Arguments, which may not be what they should be

  private FloatMatrix like(FloatMatrix m) {
    out.require(m.rows() == rows && m.cols() == cols);
    return m;
  }

  private FloatMatrix input() {
    return like(draw.floats(draw.like(rows), draw.like(cols)));
  }

  private FloatMatrix result() {
    return like(draw.blank(draw.like(rows), draw.like(cols)));
  }

  /** The result itself, or where it replaces an input. */
  private FloatMatrix resultOr(FloatMatrix input) {
    return draw.chance(4) ? input : result();
  }

  /** An array of at least {@code n} elements. */
  private float[] vector(int n) {
    float[] array = draw.array(draw.like(n));
    out.require(array.length >= n);
    return array;
  }

  private static FloatMatrix copy(FloatMatrix m) {
    return Matrices.copy(m);
  }

  // Operations that work on each row for itself

  static void rowOperation(FuzzDraw draw) {
    new FuzzedElementwise(draw).rowOperation(draw.any(RowOperation.values()));
  }

  private void rowOperation(RowOperation op) {
    FloatMatrix x = draw.floats(rows, cols);
    FloatMatrix y =
        switch (op) {
          case ADD, GELU_BACKWARD, LAYER_NORM_BACKWARD, SOFTMAX_BACKWARD -> input();
          default -> x;
        };
    boolean gains = op == RowOperation.LAYER_NORM || op == RowOperation.LAYER_NORM_BACKWARD;
    float[] gamma = gains ? vector(cols) : new float[0];
    float[] beta = op == RowOperation.LAYER_NORM ? vector(cols) : new float[0];
    float[] stats = gains ? vector(3 * rows) : new float[0];
    for (int i = 1; i < stats.length; i += 3) {
      stats[i] = Math.abs(stats[i]); // rstd is not negative
    }
    boolean softmax = op == RowOperation.SOFTMAX || op == RowOperation.SOFTMAX_FROM_NORMALIZER;
    float[] normalizers = softmax ? vector(1 + 2 * rows) : new float[0];
    int offset = softmax && draw.crooked(8) ? draw.any(-1, -5, 7, Integer.MAX_VALUE) : 1;
    out.require(!softmax || (offset >= 0 && normalizers.length - offset >= 2 * rows));
    float scale = draw.any(1f, 0.37f, -0.5f);
    FloatMatrix result =
        softmax ? x : op.overX && draw.chance(4) ? x : op.overY && draw.chance(4) ? y : result();
    Inputs before =
        new Inputs(
            copy(x), copy(y), gamma, beta, stats.clone(), scale, normalizers.clone(), normalizers);
    out.output(result, bound(op, before));
    if (op == RowOperation.LAYER_NORM && !out.isRefused()) {
      out.output(stats, 0, 3 * rows, statsBound(before));
    }
    if (op == RowOperation.SOFTMAX && !out.isRefused()) {
      out.output(normalizers, offset, 2 * rows, normalizersBound(before));
    }
    FloatMatrix xOrNull = draw.orNull(x);
    FloatMatrix yOrNull = y.equals(x) ? x : draw.orNull(y);
    FloatMatrix resultOrNull = softmax ? xOrNull : draw.orNull(result);
    float[] gammaOrNull = gains ? draw.orNull(gamma) : gamma;
    float[] statsOrNull = gains ? draw.orNull(stats) : stats;
    float[] normalizersOrNull = softmax ? draw.orNull(normalizers) : normalizers;
    out.call(
        String.format(Locale.ROOT, "%s of %dx%d", op, rows, cols),
        kernels -> {
          Elementwise e = kernels.elementwise();
          switch (op) {
            case SOFTMAX -> e.softmax(xOrNull, scale, normalizersOrNull, offset);
            case SOFTMAX_FROM_NORMALIZER ->
                e.softmaxFromNormalizers(xOrNull, scale, normalizersOrNull, offset);
            default ->
                op.run(
                    e,
                    new Inputs(
                        xOrNull,
                        yOrNull,
                        gammaOrNull,
                        beta,
                        statsOrNull,
                        scale,
                        normalizers,
                        normalizers),
                    resultOrNull);
          }
        });
  }

  private IntToDoubleFunction bound(RowOperation op, Inputs in) {
    return index -> {
      int row = index / cols;
      if (!isFinite(in, row)) {
        return Double.POSITIVE_INFINITY;
      }
      double[] values = new double[cols];
      double[] bounds = new double[cols];
      op.expect(in, row, values, bounds);
      return 2 * bounds[index % cols] + Float.MIN_VALUE;
    };
  }

  private IntToDoubleFunction statsBound(Inputs in) {
    return index -> {
      if (cols == 0 || !isFinite(in, index / 3)) {
        return Double.POSITIVE_INFINITY;
      }
      Moments moments = new Moments(in, index / 3);
      return switch (index % 3) {
        case 0 -> 2 * moments.meanError;
        case 1 -> 2 * moments.rstd * moments.rstdError;
        default -> 2 * moments.rstd * moments.meanError; // or 0
      };
    };
  }

  private IntToDoubleFunction normalizersBound(Inputs in) {
    return index ->
        cols == 0 || !isFinite(in, index / 2)
            ? Double.POSITIVE_INFINITY
            : index % 2 == 0 ? 0 : 2 * new Exponentials(in, index / 2).logError();
  }

  /** Whether nothing that a row is computed from is a NaN or an infinity. */
  private boolean isFinite(Inputs in, int row) {
    boolean finite = true;
    for (int j = 0; j < cols; j++) {
      finite &= Float.isFinite(in.x().get(row, j));
      finite &= !fits(in.y()) || Float.isFinite(in.y().get(row, j));
      finite &= j >= in.gamma().length || Float.isFinite(in.gamma()[j]);
      finite &= j >= in.beta().length || Float.isFinite(in.beta()[j]);
    }
    for (int i = 3 * row; i < Math.min(in.stats().length, 3 * row + 3); i++) {
      finite &= Float.isFinite(in.stats()[i]);
    }
    for (int i = 2 * row + 1; i < Math.min(in.normalizers().length, 2 * row + 3); i++) {
      finite &= Float.isFinite(in.normalizers()[i]);
    }
    return finite;
  }

  private boolean fits(FloatMatrix m) {
    return m.rows() == rows && m.cols() == cols;
  }

  // Operations on columns

  static void columnOperation(FuzzDraw draw) {
    new FuzzedElementwise(draw).columnOperation();
  }

  private void columnOperation() {
    FloatMatrix x = draw.floats(rows, cols);
    switch (draw.below(4)) {
      case 0 -> {
        float[] sums = sums();
        FloatMatrix xOrNull = draw.orNull(x);
        out.call("column sums " + x, k -> k.elementwise().addColumnSums(xOrNull, sums));
      }
      case 1 -> {
        float[] factors = draw.orNull(vector(cols));
        FloatMatrix y = resultOr(x);
        out.output(y, FuzzCase.EXACT);
        FloatMatrix yOrNull = draw.orNull(y);
        out.call("scale columns " + x, k -> k.elementwise().scaleColumns(x, factors, yOrNull));
      }
      case 2 -> {
        FloatMatrix y = draw.orNull(input());
        float[] sums = sums();
        out.call("column dots " + x, k -> k.elementwise().addColumnDots(x, y, sums));
      }
      default -> {
        float[] stats = vector(3 * rows);
        FloatMatrix gy = draw.orNull(input());
        float[] gains = vector(cols);
        float[] shifts = sums();
        if (!out.isRefused()) {
          double[] largest = {0, 0, 0, 0};
          largest[0] = largest(x.data());
          largest[1] = largest(stats);
          largest[2] = largest(gy.data());
          largest[3] = largest(gains);
          // Each term has three roundings; no normalized value is larger than this.
          double normalized = (largest[0] + largest[1]) * largest[1] + largest[1];
          double bound =
              2 * RowOperation.gamma(rows + 4) * (largest[3] + rows * largest[2] * normalized);
          boolean finite = draw.kind != FuzzDraw.Kind.NOT_FINITE;
          out.output(gains, 0, cols, finite ? i -> bound : FuzzCase.ANY);
        }
        out.call(
            "parameter gradients " + x,
            k -> k.elementwise().layerNormParameterGradients(x, stats, gy, gains, shifts));
      }
    }
  }

  /** An array to add to, exactly. */
  private float[] sums() {
    float[] sums = vector(cols);
    if (sums.length >= cols) {
      out.output(sums, 0, cols, FuzzCase.EXACT);
    }
    return draw.orNull(sums);
  }

  private static double largest(float[] values) {
    double largest = 0;
    for (float value : values) {
      largest = Float.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest;
    }
    return largest;
  }

  // Operations on runs of parameters

  static void arrayOperation(FuzzDraw draw) {
    new FuzzedElementwise(draw).arrayOperation();
  }

  private int n;

  /** Elements of an array that a call is told, and may write. */
  private float[] run(boolean positive, IntToDoubleFunction bound) {
    float[] array = draw.array(draw.like(Math.max(0, n)));
    for (int i = 0; positive && i < array.length; i++) {
      array[i] = Math.abs(array[i]);
    }
    out.require(array.length >= n);
    if (bound != null && n >= 0 && array.length >= n) {
      out.output(array, 0, n, bound);
    }
    return draw.orNull(array);
  }

  private void arrayOperation() {
    n = draw.chance(50) ? 5000 + draw.below(60_000) : draw.size() * draw.any(1, 7);
    if (draw.crooked(16)) {
      n = draw.any(-1, Integer.MIN_VALUE);
      out.require(false);
    }
    int length = n;
    boolean finite = draw.kind != FuzzDraw.Kind.NOT_FINITE;
    switch (draw.below(5)) {
      case 0 -> {
        float[] x = run(false, FuzzCase.EXACT);
        float factor = draw.value();
        out.call("scale " + n, k -> k.elementwise().scale(x, length, factor));
      }
      case 1 -> {
        float[] x = run(false, null);
        double[] sum = new double[1];
        // Terms are positive: the bound is relative to a sum of at most this.
        double bound = 2 * RowOperation.gamma(4097) * 64 * Math.max(0, n);
        out.output(() -> sum, finite ? i -> bound : FuzzCase.ANY);
        out.call("sum of squares " + n, k -> sum[0] = k.elementwise().sumOfSquares(x, length));
      }
      case 2 -> adamW(finite);
      case 3 -> moments(finite);
      default -> {
        // v is at most 8 and the divisor at least eps.
        double bound = 2 * (RowOperation.gamma(6) * 8 + RowOperation.gamma(10) * 8 / 0.01);
        float[] w = run(false, finite ? i -> bound : FuzzCase.ANY);
        float[] m = run(false, null);
        float[] v = run(true, null);
        out.call(
            "stable update " + n,
            k -> k.elementwise().stableAdamWUpdate(w, m, v, length, 0.01f, 1, 0.01f));
      }
    }
  }

  /** All is at most 8; moments have 5 roundings; the divisor is at least eps. */
  private void adamW(boolean finite) {
    int length = n;
    int step = step();
    double first = 2 * RowOperation.gamma(5) * 16;
    double correction = 1 - Math.pow(0.9, Math.max(1, step));
    double update = 1 / correction / 0.01;
    double weight =
        2 * RowOperation.gamma(5) * 8 + (first + 2 * RowOperation.gamma(20) * 8) * update;
    float[] w = run(false, finite ? i -> weight : FuzzCase.ANY);
    float[] g = run(false, null);
    float[] m = run(false, finite ? i -> first : FuzzCase.ANY);
    float[] v = run(true, finite ? i -> 2 * RowOperation.gamma(6) * 128 : FuzzCase.ANY);
    out.call(
        "AdamW " + n + " step " + step,
        k -> k.elementwise().adamW(w, g, m, v, length, step, 1, 0.9f, 0.999f, 0.01f, 0.1f));
  }

  private void moments(boolean finite) {
    int length = n;
    int step = step();
    float[] g = run(false, null);
    float[] m = run(false, finite ? i -> 2 * RowOperation.gamma(6) * 16 : FuzzCase.ANY);
    float[] v = run(true, finite ? i -> 2 * RowOperation.gamma(8) * 128 : FuzzCase.ANY);
    float eps = draw.any(0.1f, 1f);
    boolean broken = draw.crooked(12);
    out.require(!broken);
    float given = broken ? draw.any(0f, 1e-30f, Float.NaN, 1e30f) : eps;
    double[] rms = new double[1];
    // The mean is at most 64 / eps^2; v and each term are off by a few roundings.
    double bound = 2 * RowOperation.gamma(4096 + 30) * (8 / 0.1);
    out.output(() -> rms, finite ? i -> bound : FuzzCase.ANY);
    out.call(
        "moments " + n + " step " + step,
        k ->
            rms[0] = k.elementwise().stableAdamWMoments(g, m, v, length, step, 0.9f, 0.99f, given));
  }

  private int step() {
    int step = draw.any(1, 2, 1000);
    if (draw.crooked(12)) {
      step = draw.any(0, -1, Integer.MIN_VALUE);
      out.require(false);
    }
    return step;
  }
}
