package dev.switchyard.layers.block;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/**
 * Drops elements at random while training, and scales the others so that the expectation stays
 * (Srivastava et al. 2014):
 *
 * <pre>
 *   y = m x / (1 - rate)      dx = m dy / (1 - rate)      m = 0 with probability rate, otherwise 1
 * </pre>
 *
 * The identity on a tape that records nothing. Masks are never stored: they are drawn again on the
 * way back. They depend on the generator, the number of the tape's step and the place in it, so
 * that a run repeats bit for bit; see {@link Tape#resumeAfter} for one that is resumed.
 */
public final class Dropout implements Layer {
  private final float rate;
  private final CounterRandom random;

  /**
   * A layer that drops a part of its input.
   *
   * @param rate the part, from 0 to less than 1
   * @param random where the masks come from
   * @throws IllegalArgumentException if the rate is out of range
   */
  public Dropout(float rate, CounterRandom random) {
    this.rate = requireRate("dropout", rate);
    this.random = random;
  }

  static float requireRate(String name, float rate) {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException(
          name + " is " + rate + " (expected 0 or more, and less than 1)");
    }
    return rate;
  }

  // x [rows, cols] -> y [rows, cols]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    if (rate == 0 || !tape.isRecording()) {
      return x;
    }
    long key = tape.draw(random);
    FloatMatrix y = tape.result(x.rows(), x.cols());
    tape.kernels().elementwise().dropout(x.value(), rate, key, y);
    return tape.node(y).from(x).backward((gy, kept) -> backward(tape, x, key, gy));
  }

  // gy [rows, cols] -> gx [rows, cols]
  private void backward(Tape tape, Tensor x, long key, FloatMatrix gy) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    tape.kernels().elementwise().dropout(gy, rate, key, gx);
    tape.addGrad(x, gx);
  }
}
