package dev.switchyard.layers.model;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.SequenceLayer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Arrays;

/**
 * One row for each sequence: the mean over a range of its tokens, zeros for a sequence without
 * tokens.
 *
 * <pre>
 *   y_s = (sum of x_t for t in range_s) / n_s      dx_t = dy_s / n_s for t in range_s, 0 elsewhere
 * </pre>
 */
public enum Pooling implements SequenceLayer {
  /** All tokens. */
  MEAN {
    @Override
    int from(int length) {
      return 0;
    }

    @Override
    int to(int length) {
      return length;
    }
  },

  /** The first token, such as a class token. */
  FIRST {
    @Override
    int from(int length) {
      return 0;
    }

    @Override
    int to(int length) {
      return Math.min(1, length);
    }
  },

  /** The last token, the only one that sees the whole sequence in causal attention. */
  LAST {
    @Override
    int from(int length) {
      return Math.max(0, length - 1);
    }

    @Override
    int to(int length) {
      return length;
    }
  };

  /** The first token of the range, in a sequence of some length. */
  abstract int from(int length);

  /** The token after the range. */
  abstract int to(int length);

  // x [tokens, features] -> y [sequences, features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    sequences.requireRows(x.rows());
    FloatMatrix y = tape.result(sequences.count(), x.cols());
    Arrays.fill(y.data(), 0, y.rows() * y.cols(), 0);
    eachToken(tape, sequences, (t, s, share) -> addScaled(x.value(), t, share, y, s));
    return tape.node(y).from(x).backward((gy, kept) -> backward(tape, x, sequences, gy));
  }

  // gy [sequences, features] -> gx [tokens, features]
  private void backward(Tape tape, Tensor x, Sequences sequences, FloatMatrix gy) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    Arrays.fill(gx.data(), 0, gx.rows() * gx.cols(), 0);
    eachToken(tape, sequences, (t, s, share) -> addScaled(gy, s, share, gx, t));
    tape.addGrad(x, gx);
  }

  private interface TokenWork {
    void run(int token, int sequence, float share);
  }

  private void eachToken(Tape tape, Sequences sequences, TokenWork work) {
    tape.kernels()
        .parallel()
        .forEach(
            sequences.count(),
            s -> {
              int from = from(sequences.length(s));
              int to = to(sequences.length(s));
              for (int t = from; t < to; t++) {
                work.run(sequences.start(s) + t, s, 1f / (to - from));
              }
            });
  }

  private static void addScaled(FloatMatrix x, int row, float scale, FloatMatrix y, int toRow) {
    int from = x.rowIndex(row);
    int to = y.rowIndex(toRow);
    for (int j = 0; j < x.cols(); j++) {
      y.data()[to + j] += scale * x.data()[from + j];
    }
  }
}
