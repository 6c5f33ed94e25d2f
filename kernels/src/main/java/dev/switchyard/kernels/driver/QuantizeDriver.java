package dev.switchyard.kernels.driver;

import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.QuantizeKernel;
import dev.switchyard.kernels.backend.Scale;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.Float8Rounding;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/** Finds scales, applies the policy on non-finite values, and has the kernel round row by row. */
public final class QuantizeDriver {
  private final QuantizeKernel kernel;
  private final MatmulDriver matmul;
  private final Parallel parallel;

  public QuantizeDriver(Backend backend, MatmulDriver matmul, Parallel parallel) {
    this.kernel = backend.quantize();
    this.matmul = matmul;
    this.parallel = parallel;
  }

  /** Quantizes x into {@code out} with one scale for each row, column or for all. */
  public void quantize(
      FloatMatrix x, Rounding rounding, NonFinitePolicy policy, QuantizedMatrix out) {
    out.beginFill(x.rows(), x.cols()); // whatever happens from here on, it holds no old values
    switch (out.scaling()) {
      case ROW -> quantizeByRow(x, rounding, policy, out);
      case COLUMN -> quantizeByColumn(x, rounding, policy, out);
      case TENSOR -> {
        out.scales()[0] = tensorScale(x, policy);
        roundAll(x, out.scales()[0], null, rounding, out);
      }
    }
    out.endFill();
  }

  /** Quantizes a weight and packs it both ways, stripe by stripe while the stripe is in cache. */
  public void quantizeAndPack(
      FloatMatrix w,
      NonFinitePolicy policy,
      QuantizedMatrix out,
      PackedMatrix forward,
      PackedMatrix backward) {
    float scale = tensorScale(w, policy);
    out.beginFill(w.rows(), w.cols());
    out.scales()[0] = scale;
    if (MatmulDriver.isSplit(w.rows()) || MatmulDriver.isSplit(w.cols())) {
      roundAll(w, scale, null, Rounding.NEAREST_EVEN, out);
      out.endFill();
      matmul.pack(ElementType.INT8, Form.NT, out, forward);
      matmul.pack(ElementType.INT8, Form.NN, out, backward);
      return;
    }
    matmul.reshape(ElementType.INT8, Form.NT, out, forward);
    matmul.reshape(ElementType.INT8, Form.NN, out, backward);
    int stripe = matmul.packGrain();
    RowTasks.forEach(
        parallel,
        w.rows(),
        w.cols(),
        stripe,
        (begin, end) -> {
          for (int i = begin, j; i < end; i = j) {
            j = i + Math.min(stripe, end - i);
            kernel.roundRows(w, i, j, scale, out);
            matmul.packRows(out, i, j, forward);
            matmul.packRows(out, i, j, backward);
          }
        });
    out.endFill();
    forward.endFill();
    backward.endFill();
  }

  /** Rounds x to the numbers of a float8 format times a scale for each row or for all. */
  public void roundToFloat8(
      FloatMatrix x, Float8Rounding rounding, NonFinitePolicy policy, FloatMatrix out) {
    if (x.cols() == 0) {
      return; // rows of an empty view need not lie within its array
    }
    float ofAll = float8Scale(absMaxBits(x), rounding);
    if (Float.isNaN(ofAll) && policy == NonFinitePolicy.REJECT) {
      throw nonFinite(x);
    }
    RowTasks.forEach(
        parallel,
        x.rows(),
        x.cols(),
        1,
        (begin, end) -> {
          for (int i = begin; i < end; i++) {
            float scale =
                rounding.scaling() == Scaling.TENSOR
                    ? ofAll
                    : float8Scale(kernel.absMaxBits(x.data(), x.rowIndex(i), x.cols()), rounding);
            roundRowToFloat8(x, i, scale, rounding.format(), out);
          }
        });
  }

  private static float float8Scale(int absMaxBits, Float8Rounding rounding) {
    float scale = Scale.of(absMaxBits, rounding.format().largest());
    return rounding.powerOfTwoScale() ? Scale.raisedToPowerOfTwo(scale) : scale;
  }

  private void roundRowToFloat8(
      FloatMatrix x, int row, float scale, Float8Format format, FloatMatrix out) {
    int to = out.rowIndex(row);
    if (Scale.rounds(scale)) {
      kernel.roundToFloat8(
          x.data(), x.rowIndex(row), x.cols(), Scale.inverse(scale), scale, format, out.data(), to);
    } else {
      Arrays.fill(out.data(), to, to + x.cols(), scale); // zeros, or NaN
    }
  }

  /** Restores {@code x = scale q}. */
  public void dequantize(QuantizedMatrix q, FloatMatrix x) {
    RowTasks.forEach(parallel, q.rows(), q.cols(), 1, (begin, end) -> widenRows(q, begin, end, x));
  }

  private void widenRows(QuantizedMatrix q, int begin, int end, FloatMatrix x) {
    for (int i = begin; i < end; i++) {
      boolean byColumn = q.scaling() == Scaling.COLUMN;
      float scale = byColumn || q.cols() == 0 ? 1 : q.scale(i, 0);
      kernel.widen(q.data(), i * q.rowStride(), q.cols(), scale, x.data(), x.rowIndex(i));
      for (int j = 0; byColumn && j < q.cols(); j++) {
        x.data()[x.rowIndex(i) + j] *= q.scales()[j];
      }
    }
  }

  private void quantizeByRow(
      FloatMatrix x, Rounding rounding, NonFinitePolicy policy, QuantizedMatrix out) {
    if (parallel.threads() == 1) { // without a lambda, which would be an allocation a call
      quantizeRows(x, 0, x.rows(), rounding, out);
    } else {
      RowTasks.forEach(
          parallel, x.rows(), x.cols(), 1, (i, j) -> quantizeRows(x, i, j, rounding, out));
    }
    if (policy == NonFinitePolicy.REJECT) {
      for (int i = 0; i < x.rows(); i++) {
        if (Float.isNaN(out.scales()[i])) {
          throw nonFinite(x);
        }
      }
    }
  }

  private void quantizeRows(
      FloatMatrix x, int begin, int end, Rounding rounding, QuantizedMatrix out) {
    if (!rounding.stochastic()) {
      kernel.quantizeRows(x, begin, end, out);
      return;
    }
    for (int i = begin; i < end; i++) {
      float scale = Scale.of(kernel.absMaxBits(x.data(), x.rowIndex(i), x.cols()));
      out.scales()[i] = scale;
      roundRow(x, i, scale, null, rounding, out);
    }
  }

  private float tensorScale(FloatMatrix x, NonFinitePolicy policy) {
    float scale = Scale.of(absMaxBits(x));
    if (Float.isNaN(scale) && policy == NonFinitePolicy.REJECT) {
      throw nonFinite(x);
    }
    return scale;
  }

  private int absMaxBits(FloatMatrix x) {
    if (parallel.threads() == 1) {
      return kernel.absMaxBits(x, 0, x.rows());
    }
    AtomicInteger max = new AtomicInteger();
    RowTasks.forEach(
        parallel,
        x.rows(),
        x.cols(),
        1,
        (begin, end) -> max.accumulateAndGet(kernel.absMaxBits(x, begin, end), Math::max));
    return max.get();
  }

  private void roundAll(
      FloatMatrix x, float scale, float[] inverses, Rounding rounding, QuantizedMatrix out) {
    if (parallel.threads() == 1) {
      roundRows(x, 0, x.rows(), scale, inverses, rounding, out);
    } else {
      RowTasks.forEach(
          parallel,
          x.rows(),
          x.cols(),
          1,
          (i, j) -> roundRows(x, i, j, scale, inverses, rounding, out));
    }
  }

  private void roundRows(
      FloatMatrix x,
      int begin,
      int end,
      float scale,
      float[] inverses,
      Rounding rounding,
      QuantizedMatrix out) {
    if (inverses == null && !rounding.stochastic()) {
      kernel.roundRows(x, begin, end, scale, out);
      return;
    }
    for (int i = begin; i < end; i++) {
      roundRow(x, i, scale, inverses, rounding, out);
    }
  }

  private void quantizeByColumn(
      FloatMatrix x, Rounding rounding, NonFinitePolicy policy, QuantizedMatrix out) {
    Scratch scratch = Scratch.take();
    int[] columnMax = scratch.columnMax(x.cols());
    if (parallel.threads() == 1) {
      raiseColumns(x, 0, x.cols(), columnMax);
    } else {
      RowTasks.forEach(
          parallel, x.cols(), x.rows(), 16, (i, j) -> raiseColumns(x, i, j, columnMax));
    }
    float[] inverses = scratch.inverses(x.cols());
    boolean finite = true;
    for (int j = 0; j < x.cols(); j++) {
      float scale = Scale.of(columnMax[j]);
      finite &= !Float.isNaN(scale);
      inverses[j] = Scale.inverse(scale);
    }
    if (!finite && policy == NonFinitePolicy.REJECT) {
      throw nonFinite(x);
    }
    for (int j = 0; j < x.cols(); j++) {
      out.scales()[j] = Scale.of(columnMax[j]);
    }
    roundAll(x, 1, inverses, rounding, out);
    if (!finite) {
      clearNonFiniteColumns(out);
    }
    scratch.giveBack();
  }

  private void raiseColumns(FloatMatrix x, int begin, int end, int[] columnMax) {
    for (int i = 0; i < x.rows(); i++) {
      kernel.raiseAbsMaxBits(x.data(), x.rowIndex(i) + begin, end - begin, columnMax, begin);
    }
  }

  /**
   * Columns whose scale is NaN were rounded from NaN: their values mean nothing, set them to zero.
   */
  private static void clearNonFiniteColumns(QuantizedMatrix out) {
    for (int i = 0; i < out.rows(); i++) {
      int sum = 0;
      for (int j = 0; j < out.cols(); j++) {
        int index = i * out.rowStride() + j;
        if (Float.isNaN(out.scales()[j])) {
          out.data()[index] = 0;
        }
        sum += out.data()[index];
      }
      out.rowSums()[i] = sum;
    }
  }

  private void roundRow(
      FloatMatrix x,
      int row,
      float scale,
      float[] inverses,
      Rounding rounding,
      QuantizedMatrix out) {
    int from = row * out.rowStride();
    if (!Scale.rounds(scale)) {
      QuantizeKernel.clearRow(out, row);
    } else if (rounding.stochastic()) {
      long key = new CounterRandom(rounding.seed()).key(row);
      out.rowSums()[row] =
          kernel.stochastic(
              x.data(),
              x.rowIndex(row),
              x.cols(),
              Scale.inverse(scale),
              inverses,
              key,
              out.data(),
              from);
    } else {
      out.rowSums()[row] =
          kernel.toNearest(
              x.data(),
              x.rowIndex(row),
              x.cols(),
              Scale.inverse(scale),
              inverses,
              out.data(),
              from);
    }
  }

  private static NonFiniteException nonFinite(FloatMatrix x) {
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        if (!Float.isFinite(x.get(i, j))) {
          return new NonFiniteException(
              String.format(
                  Locale.ROOT,
                  "element (%d, %d) of the %s matrix to quantize is %s (expected a finite number)",
                  i,
                  j,
                  x.shape(),
                  x.get(i, j)));
        }
      }
    }
    return new NonFiniteException("the matrix to quantize was changed by another thread");
  }
}
