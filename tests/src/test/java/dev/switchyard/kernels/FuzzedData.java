package dev.switchyard.kernels;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.data.Sequences;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Locale;

/**
 * Views, sequences and buffers of any numbers: what may be made is decided here in big integers.
 */
final class FuzzedData {
  private FuzzedData() {}

  static void view(FuzzDraw draw) {
    FuzzCase out = draw.out;
    int length = draw.below(40);
    int offset = draw.anything();
    int rows = draw.anything();
    int cols = draw.anything();
    int stride = draw.chance(2) ? cols + draw.below(3) : draw.anything();
    boolean empty = rows == 0 || cols == 0;
    BigInteger used =
        empty
            ? BigInteger.ZERO
            : BigInteger.valueOf(rows - 1L)
                .multiply(BigInteger.valueOf(stride))
                .add(BigInteger.valueOf(cols));
    out.require(offset >= 0 && rows >= 0 && cols >= 0 && stride >= cols);
    out.require(used.add(BigInteger.valueOf(offset)).compareTo(BigInteger.valueOf(length)) <= 0);
    int kind = draw.below(3);
    out.call(
        String.format(
            Locale.ROOT,
            "view %d of %d at %d, %dx%d by %d",
            kind,
            length,
            offset,
            rows,
            cols,
            stride),
        kernels -> {
          switch (kind) {
            case 0 -> new FloatMatrix(new float[length], offset, rows, cols, stride);
            case 1 -> new IntMatrix(new int[length], offset, rows, cols, stride);
            default -> new Bfloat16Matrix(new short[length], offset, rows, cols, stride);
          }
        });
  }

  /** Parts and elements of a view. */
  static void part(FuzzDraw draw) {
    FuzzCase out = draw.out;
    FloatMatrix m = draw.floats(draw.size(), draw.size());
    int from = draw.anything();
    int to = draw.anything();
    boolean byRow = draw.chance(2);
    boolean element = draw.chance(2);
    int extent = byRow ? m.rows() : m.cols();
    boolean inside =
        element
            ? from >= 0 && from < m.rows() && to >= 0 && to < m.cols()
            : from >= 0 && from <= to && to <= extent;
    if (!inside) {
      out.refuse(IndexOutOfBoundsException.class);
    } else if (element) {
      out.output(new FloatMatrix(m.data(), m.rowIndex(from) + to, 1, 1, 1), FuzzCase.EXACT);
    } else {
      int rows = byRow ? to - from : m.rows();
      int cols = byRow ? m.cols() : to - from;
      boolean nothing = rows == 0 || cols == 0;
      int offset = m.offset() + (nothing ? 0 : byRow ? from * m.rowStride() : from);
      out.output(new FloatMatrix(m.data(), offset, rows, cols, m.rowStride()), FuzzCase.EXACT);
    }
    out.call(
        String.format(
            Locale.ROOT,
            "%s %d %d of %s",
            element ? "element" : byRow ? "rows" : "columns",
            from,
            to,
            m),
        kernels -> {
          if (element) {
            m.set(from, to, m.get(from, to) + 1);
          } else {
            FloatMatrix part = byRow ? m.rowRange(from, to) : m.columnRange(from, to);
            kernels.elementwise().add(part, part, part);
          }
        });
  }

  static void sequences(FuzzDraw draw) {
    FuzzCase out = draw.out;
    int[] lengths = new int[draw.below(6)];
    BigInteger total = BigInteger.ZERO;
    boolean negative = false;
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = draw.anything();
      negative |= lengths[i] < 0;
      total = total.add(BigInteger.valueOf(lengths[i]));
    }
    out.require(!negative && total.bitLength() < Integer.SIZE);
    int which = out.isRefused() ? 0 : draw.anything();
    if (!out.isRefused() && (which < 0 || which >= lengths.length)) {
      out.refuse(IndexOutOfBoundsException.class);
    }
    double[] values = new double[3];
    out.output(() -> values, FuzzCase.EXACT);
    boolean startFirst = draw.chance(2);
    out.call(
        "sequences " + Arrays.toString(lengths) + " at " + which,
        kernels -> {
          Sequences sequences = Sequences.ofLengths(lengths);
          values[0] = sequences.tokens();
          values[1] = startFirst ? sequences.start(which) : sequences.length(which);
          values[2] = sequences.maxLength();
        });
  }

  static void uniformSequences(FuzzDraw draw) {
    FuzzCase out = draw.out;
    int count = draw.anything();
    int length = draw.anything();
    out.require(count >= 0 && length >= 0 && (long) count * length <= Integer.MAX_VALUE);
    if (count > 1 << 16 && !out.isRefused()) {
      count = 3; // can be made, but takes its memory
    }
    int number = count;
    double[] tokens = new double[1];
    out.output(() -> tokens, FuzzCase.EXACT);
    out.call(
        String.format(Locale.ROOT, "%d sequences of %d", number, length),
        kernels -> tokens[0] = Sequences.uniform(number, length).tokens());
  }

  /** Shapes that no array could hold are refused, and the buffer keeps what it held. */
  static void quantizedShape(FuzzDraw draw) {
    FuzzCase out = draw.out;
    Scaling scaling = draw.any(Scaling.values());
    QuantizedMatrix q = draw.quantized(2, 3, scaling);
    int rows = draw.anything();
    int cols = draw.anything();
    long bytes = (cols + 63L) / 64 * 64 * rows;
    long longest = Math.max(bytes, Math.max(rows, scaling.scales(rows, cols)));
    out.require(rows >= 0 && cols >= 0 && longest <= Integer.MAX_VALUE - 1024);
    if (!out.isRefused() && longest > 1 << 16) {
      rows = 3; // can be made, but takes its memory
      cols = 5;
    }
    int newRows = rows;
    int newCols = cols;
    out.canaries.release(q.data());
    out.afterRefusal(() -> q.get(1, 2));
    out.call(
        String.format(Locale.ROOT, "fill %dx%d", newRows, newCols),
        kernels -> q.beginFill(newRows, newCols));
  }

  /**
   * A packed matrix whose shape was changed by hand: whatever comes out, nothing is written outside
   * of the result.
   */
  static void reshapedPanels(FuzzDraw draw) {
    FuzzCase out = draw.out;
    ElementType type = draw.any(ElementType.FLOAT32, ElementType.BFLOAT16);
    Form form = draw.any(Form.values());
    FloatMatrix packed = draw.floats(draw.below(9), draw.below(9));
    FloatMatrix b = draw.floats(draw.size(), draw.size());
    int rows = draw.size();
    int inner = form.innerOfRight(b);
    FloatMatrix a = form == Form.TN ? draw.floats(inner, rows) : draw.floats(rows, inner);
    FloatMatrix c = draw.floats(rows, form.resultCols(b));
    int panelCols = draw.chance(2) ? 32 : draw.anything();
    out.output(c, FuzzCase.ANY);
    out.call(
        String.format(
            Locale.ROOT,
            "reshaped %s %s from %s to %s, panels of %d",
            type,
            form,
            packed,
            b,
            panelCols),
        kernels -> {
          PackedMatrix panels = new PackedMatrix();
          kernels.pack(type, form, packed, panels);
          panels.reshape(kernels.backend().name(), type, form, b, panelCols);
          panels.endFill();
          try {
            kernels.multiply(a, panels, Epilogue.ACCUMULATE, c);
          } catch (IllegalArgumentException
              | IllegalStateException
              | IndexOutOfBoundsException
              | ArithmeticException
              | NegativeArraySizeException _) {
            // Not one of these has to come: the panels are the caller's own doing.
          }
        });
  }
}
