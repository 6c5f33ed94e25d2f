package dev.switchyard.layers.block;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.SequenceLayer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/**
 * Leaves out a residual branch for whole sequences at random while training (Huang et al. 2016),
 * and scales it for the others so that the expectation stays:
 *
 * <pre>
 *   y_t = f_s x_t      dx_t = f_s dy_t      f_s = 0 with probability rate, otherwise 1 / (1 - rate)
 * </pre>
 *
 * for all tokens t of sequence s. The identity on a tape that records nothing. Repeats like the
 * masks of {@link Dropout}.
 */
public final class StochasticDepth implements SequenceLayer {
  private final float rate;
  private final CounterRandom random;

  /**
   * A layer that leaves out a part of the sequences.
   *
   * @param rate the part, from 0 to less than 1
   * @param random where the choice comes from
   * @throws IllegalArgumentException if the rate is out of range
   */
  public StochasticDepth(float rate, CounterRandom random) {
    this.rate = Dropout.requireRate("stochastic depth", rate);
    this.random = random;
  }

  // x [tokens, features] -> y [tokens, features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    sequences.requireRows(x.rows());
    if (rate == 0 || !tape.isRecording()) {
      return x;
    }
    long key = tape.draw(random);
    FloatMatrix y = tape.result(x.rows(), x.cols());
    scale(tape, x.value(), sequences, key, y);
    return tape.node(y)
        .from(x)
        .backward(
            (gy, kept) -> {
              FloatMatrix gx = tape.take(x.rows(), x.cols());
              scale(tape, gy, sequences, key, gx);
              tape.addGrad(x, gx);
            });
  }

  private void scale(Tape tape, FloatMatrix x, Sequences sequences, long key, FloatMatrix y) {
    tape.kernels()
        .parallel()
        .forEach(
            sequences.count(),
            s -> {
              float factor = CounterRandom.uniform(key, s) < rate ? 0 : 1 / (1 - rate);
              int end = sequences.start(s) + sequences.length(s);
              for (int t = sequences.start(s); t < end; t++) {
                int from = x.rowIndex(t);
                int to = y.rowIndex(t);
                for (int j = 0; j < x.cols(); j++) {
                  y.data()[to + j] = factor * x.data()[from + j];
                }
              }
            });
  }
}
