package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.backend.QuantizeKernel;
import dev.switchyard.kernels.backend.Scale;
import dev.switchyard.kernels.data.Float8Format;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.parallel.Workspaces;

/**
 * Emitted quantization of many rows to the nearest; what is done to single rows, seldom or at the
 * speed of a random generator, is a portable kernel's.
 */
final class EmittedQuantize implements QuantizeKernel {
  /** Elements a call, some 15 us: arrays hold the collector back for no longer than that. */
  private static final int CALL = 1 << 17;

  private final EmittedCode code;
  private final QuantizeKernel portable;
  private final Workspaces<Calls> calls;

  EmittedQuantize(EmittedCode code, QuantizeKernel portable) {
    this.code = code;
    this.portable = portable;
    this.calls = new Workspaces<>(() -> new Calls(code));
  }

  /** What is kept from call to call. */
  private static final class Calls {
    final QuantizeArguments arguments;
    final HeapSegment x = new HeapSegment();
    final HeapSegment q = new HeapSegment();

    Calls(EmittedCode code) {
      arguments = new QuantizeArguments(code.target());
    }
  }

  private static int rowsACall(FloatMatrix x) {
    return Math.clamp(CALL / Math.max(1, x.cols()), 1, QuantizeArguments.MAX_ROWS);
  }

  /** Runs the pass over some rows; {@code out} is null if it does not round. */
  private void run(Pass pass, Calls w, FloatMatrix x, int row, int rows, QuantizedMatrix out) {
    long qStride = out == null ? 0 : out.rowStride();
    boolean empty = x.cols() == 0; // its rows need not lie within the array
    code.quantize(
        pass,
        rows,
        x.cols(),
        w.arguments,
        w.x.of(x.data()),
        empty ? 0 : (long) Float.BYTES * x.rowIndex(row),
        empty ? 0 : (long) Float.BYTES * x.rowStride(),
        out == null ? w.x.of(x.data()) : w.q.of(out.data()),
        row * qStride,
        qStride);
  }

  @Override
  public int absMaxBits(FloatMatrix x, int rowBegin, int rowEnd) {
    Calls w = calls.take();
    int max = 0;
    for (int row = rowBegin, rows; row < rowEnd; row += rows) {
      rows = Math.min(rowEnd - row, rowsACall(x));
      run(Pass.ABSMAX, w, x, row, rows, null);
      for (int i = 0; i < rows; i++) {
        max = Math.max(max, w.arguments.absMaxBits(i));
      }
    }
    calls.giveBack(w);
    return max;
  }

  @Override
  public void quantizeRows(FloatMatrix x, int rowBegin, int rowEnd, QuantizedMatrix out) {
    Calls w = calls.take();
    for (int row = rowBegin, rows; row < rowEnd; row += rows) {
      rows = Math.min(rowEnd - row, rowsACall(x));
      run(Pass.ABSMAX_AND_ROUND, w, x, row, rows, out);
      for (int i = 0; i < rows; i++) {
        float scale = Scale.of(w.arguments.absMaxBits(i));
        out.scales()[row + i] = scale;
        if (Scale.rounds(scale)) {
          out.rowSums()[row + i] = w.arguments.sum(i);
        } else {
          QuantizeKernel.clearRow(out, row + i); // rounded with an infinite inverse, or from NaN
        }
      }
    }
    calls.giveBack(w);
  }

  @Override
  public void roundRows(FloatMatrix x, int rowBegin, int rowEnd, float scale, QuantizedMatrix out) {
    if (!Scale.rounds(scale)) {
      QuantizeKernel.super.roundRows(x, rowBegin, rowEnd, scale, out);
      return;
    }
    Calls w = calls.take();
    w.arguments.setFloat(QuantizeArguments.INVERSE, 0, Scale.inverse(scale));
    for (int row = rowBegin, rows; row < rowEnd; row += rows) {
      rows = Math.min(rowEnd - row, rowsACall(x));
      run(Pass.ROUND, w, x, row, rows, out);
      for (int i = 0; i < rows; i++) {
        out.rowSums()[row + i] = w.arguments.sum(i);
      }
    }
    calls.giveBack(w);
  }

  @Override
  public int absMaxBits(float[] x, int offset, int length) {
    return portable.absMaxBits(x, offset, length);
  }

  @Override
  public void raiseAbsMaxBits(float[] x, int offset, int length, int[] columnMax, int column) {
    portable.raiseAbsMaxBits(x, offset, length, columnMax, column);
  }

  @Override
  public int toNearest(
      float[] x, int offset, int length, float inverse, float[] inverses, byte[] q, int qOffset) {
    return portable.toNearest(x, offset, length, inverse, inverses, q, qOffset);
  }

  @Override
  public int stochastic(
      float[] x,
      int offset,
      int length,
      float inverse,
      float[] inverses,
      long key,
      byte[] q,
      int qOffset) {
    return portable.stochastic(x, offset, length, inverse, inverses, key, q, qOffset);
  }

  @Override
  public void widen(byte[] q, int qOffset, int length, float scale, float[] x, int offset) {
    portable.widen(q, qOffset, length, scale, x, offset);
  }

  @Override
  public void roundToFloat8(
      float[] x,
      int offset,
      int length,
      float inverse,
      float scale,
      Float8Format format,
      float[] out,
      int outOffset) {
    portable.roundToFloat8(x, offset, length, inverse, scale, format, out, outOffset);
  }
}
