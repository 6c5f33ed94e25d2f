package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import java.util.Arrays;
import java.util.List;

/**
 * The mean of the tokens of each sequence; zeros for a sequence without tokens.
 *
 * <pre>
 *   y_s = (sum of x_t for t in s) / length_s      dx_t = dy_s / length_s
 * </pre>
 */
public final class MeanPool implements SequenceLayer {
  /** The pooling. */
  public MeanPool() {}

  // x [tokens, features] -> y [sequences, features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    sequences.requireRows(x.rows());
    FloatMatrix from = x.value();
    FloatMatrix y = tape.result(sequences.count(), x.cols());
    tape.kernels()
        .parallel()
        .forEach(
            sequences.count(),
            s -> {
              Arrays.fill(y.data(), y.rowIndex(s), y.rowIndex(s) + y.cols(), 0);
              for (int t = 0; t < sequences.length(s); t++) {
                addScaled(from, sequences.start(s) + t, 1f / sequences.length(s), y, s);
              }
            });
    return tape.record(
        y, List.of(x), parameters(), List.of(), gy -> backward(tape, x, sequences, gy));
  }

  // gy [sequences, features] -> gx [tokens, features]
  private static void backward(Tape tape, Tensor x, Sequences sequences, FloatMatrix gy) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    Arrays.fill(gx.data(), 0, x.rows() * x.cols(), 0);
    tape.kernels()
        .parallel()
        .forEach(
            sequences.count(),
            s -> {
              for (int t = 0; t < sequences.length(s); t++) {
                addScaled(gy, s, 1f / sequences.length(s), gx, sequences.start(s) + t);
              }
            });
    tape.addGrad(x, gx);
  }

  private static void addScaled(FloatMatrix x, int row, float scale, FloatMatrix y, int toRow) {
    int from = x.rowIndex(row);
    int to = y.rowIndex(toRow);
    for (int j = 0; j < x.cols(); j++) {
      y.data()[to + j] += scale * x.data()[from + j];
    }
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }
}
