package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.Float8Rounding;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import java.util.Arrays;
import java.util.Locale;

/** Quantizing, restoring, packing both ways and rounding to float8, right and wrong. */
final class FuzzedQuantizers {
  private FuzzedQuantizers() {}

  static void quantize(FuzzDraw draw) {
    FuzzCase out = draw.out;
    FloatMatrix x = source(draw);
    Scaling scaling = draw.any(Scaling.values());
    NonFinitePolicy policy = draw.any(NonFinitePolicy.values());
    Rounding rounding = draw.chance(3) ? Rounding.stochastic(draw.bits()) : Rounding.NEAREST_EVEN;
    QuantizedMatrix q = new QuantizedMatrix(scaling);
    if (draw.chance(2)) { // holds another matrix, whose values must not shine through
      q.beginFill(draw.size(), draw.size());
      for (int i = 0; i < q.rows(); i++) {
        int row = i * q.rowStride();
        Arrays.fill(q.data(), row, row + q.cols(), (byte) 99);
      }
      q.endFill();
    }
    FloatMatrix xOrNull = draw.orNull(x);
    Rounding roundingOrNull = draw.orNull(rounding);
    NonFinitePolicy policyOrNull = draw.orNull(policy);
    QuantizedMatrix qOrNull = draw.orNull(q);
    boolean nulls = out.isRefused();
    boolean rejected = rejects(draw, x, policy);
    if (rejected && !nulls) {
      out.afterRefusal(
          () ->
              assertThatThrownBy(q::requireFilled)
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("holds no values"));
    }
    out.output(q);
    out.call(
        String.format(
            Locale.ROOT,
            "quantize %s %s %s %s %s",
            x.shape(),
            x.rowStride(),
            scaling,
            rounding,
            policy),
        kernels -> kernels.quantize(xOrNull, roundingOrNull, policyOrNull, qOrNull));
  }

  private static FloatMatrix source(FuzzDraw draw) {
    FloatMatrix x = draw.floats(draw.size(), draw.size());
    float factor = Math.scalb(1f, draw.any(0, 0, -20, 20, -140, 120));
    for (int i = 0; x.cols() > 0 && i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        x.set(i, j, x.get(i, j) * factor);
      }
    }
    return x;
  }

  private static boolean rejects(FuzzDraw draw, FloatMatrix x, NonFinitePolicy policy) {
    if (policy == NonFinitePolicy.REJECT && !isFinite(x)) {
      draw.out.refuse(NonFiniteException.class);
      return true;
    }
    return false;
  }

  private static boolean isFinite(FloatMatrix x) {
    boolean finite = true;
    for (int i = 0; x.cols() > 0 && i < x.rows(); i++) {
      for (int j = 0; j < x.cols(); j++) {
        finite &= Float.isFinite(x.get(i, j));
      }
    }
    return finite;
  }

  static void dequantize(FuzzDraw draw) {
    FuzzCase out = draw.out;
    int rows = draw.size();
    int cols = draw.size();
    QuantizedMatrix q = draw.quantized(rows, cols, draw.any(Scaling.values()));
    if (draw.crooked(8)) {
      q.beginFill(rows, cols);
      out.refuse(IllegalStateException.class);
    }
    FloatMatrix x = draw.blank(draw.like(rows), draw.like(cols));
    out.require(x.rows() == rows && x.cols() == cols);
    out.output(x, FuzzCase.EXACT);
    QuantizedMatrix qOrNull = draw.orNull(q);
    FloatMatrix xOrNull = draw.orNull(x);
    out.call(
        String.format(Locale.ROOT, "dequantize %s %s to %s", q.shape(), q.scaling(), x),
        kernels -> kernels.dequantize(qOrNull, xOrNull));
  }

  static void roundToFloat8(FuzzDraw draw) {
    FuzzCase out = draw.out;
    FloatMatrix x = source(draw);
    Scaling scaling = draw.any(Scaling.ROW, Scaling.TENSOR);
    if (draw.crooked(10)) {
      scaling = Scaling.COLUMN;
      out.require(false);
    }
    NonFinitePolicy policy = draw.any(NonFinitePolicy.values());
    Float8Format format = draw.any(Float8Format.values());
    boolean powerOfTwo = draw.chance(3);
    FloatMatrix y = draw.chance(3) ? x : draw.blank(draw.like(x.rows()), draw.like(x.cols()));
    out.require(y.rows() == x.rows() && y.cols() == x.cols());
    rejects(draw, x, policy);
    out.output(y, FuzzCase.EXACT);
    FloatMatrix xOrNull = draw.orNull(x);
    FloatMatrix yOrNull = draw.orNull(y);
    Float8Format formatOrNull = draw.orNull(format);
    Scaling scalingOrNull = draw.orNull(scaling);
    NonFinitePolicy policyOrNull = draw.orNull(policy);
    out.call(
        String.format(Locale.ROOT, "round to float8 %s %s %s %s", x, scaling, format, policy),
        kernels ->
            kernels.roundToFloat8(
                xOrNull,
                new Float8Rounding(formatOrNull, scalingOrNull, powerOfTwo),
                policyOrNull,
                yOrNull));
  }

  /** What was packed is seen in a product each way. */
  static void quantizeAndPack(FuzzDraw draw) {
    FuzzCase out = draw.out;
    FloatMatrix w = source(draw);
    NonFinitePolicy policy = draw.any(NonFinitePolicy.values());
    QuantizedMatrix q = draw.quantized(3, 4, Scaling.TENSOR);
    if (draw.crooked(8)) {
      q = draw.quantized(3, 4, draw.any(Scaling.ROW, Scaling.COLUMN));
      out.require(false);
    }
    PackedMatrix forward = new PackedMatrix();
    PackedMatrix backward = draw.crooked(10) ? forward : new PackedMatrix();
    out.require(backward != forward);
    rejects(draw, w, policy);
    boolean fails = out.isRefused();
    QuantizedMatrix x = draw.quantized(draw.size(), w.cols(), Scaling.ROW);
    QuantizedMatrix g = draw.quantized(draw.size(), w.rows(), Scaling.ROW);
    IntMatrix y = draw.ints(x.rows(), w.rows());
    IntMatrix gx = draw.ints(g.rows(), w.cols());
    out.output(y, FuzzCase.EXACT);
    out.output(gx, FuzzCase.EXACT);
    FloatMatrix wOrNull = draw.orNull(w);
    NonFinitePolicy policyOrNull = draw.orNull(policy);
    QuantizedMatrix qOrNull = draw.orNull(q);
    PackedMatrix forwardOrNull = draw.orNull(forward);
    PackedMatrix backwardOrNull = draw.orNull(backward);
    QuantizedMatrix weight = q;
    if (fails || out.isRefused()) {
      out.afterRefusal(weight::requireFilled); // it still holds what it held
    }
    out.output(weight);
    // Its arrays are the call's to write: what they hold afterwards is an output.
    out.canaries.release(weight.data());
    out.canaries.release(weight.scales());
    out.canaries.release(weight.rowSums());
    out.call(
        String.format(Locale.ROOT, "quantize and pack %s %s", w, policy),
        kernels -> {
          kernels.quantizeAndPack(wOrNull, policyOrNull, qOrNull, forwardOrNull, backwardOrNull);
          kernels.multiply(x, forward, Epilogue.STORE, y);
          kernels.multiply(g, backward, Epilogue.STORE, gx);
        });
  }

  /** Packing alone, with what it must refuse. */
  static void pack(FuzzDraw draw) {
    FuzzCase out = draw.out;
    ElementType type = draw.any(ElementType.FLOAT32, ElementType.BFLOAT16);
    Form form = draw.any(Form.values());
    FloatMatrix b = draw.floats(draw.size(), draw.size());
    PackedMatrix panels = new PackedMatrix();
    ElementType typeOrNull = draw.orNull(type);
    Form formOrNull = draw.orNull(form);
    FloatMatrix bOrNull = draw.orNull(b);
    PackedMatrix panelsOrNull = draw.orNull(panels);
    boolean fails = out.isRefused();
    out.output(
        () -> fails ? new double[0] : new double[] {panels.inner(), panels.cols()}, FuzzCase.EXACT);
    out.call(
        String.format(Locale.ROOT, "pack %s %s %s", type, form, b),
        kernels -> kernels.pack(typeOrNull, formOrNull, bOrNull, panelsOrNull));
  }
}
