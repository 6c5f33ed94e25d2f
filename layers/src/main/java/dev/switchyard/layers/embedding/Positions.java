package dev.switchyard.layers.embedding;

import dev.switchyard.kernels.Elementwise;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Initial;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.SequenceLayer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.List;
import java.util.Locale;

/**
 * Adds to each token a vector for its position in its sequence, learned or sinusoidal:
 *
 * <pre>
 *   y_t = x_t + P_(t - start)      dx = dy      dP_p = sum of dy_t over the tokens at position p
 * </pre>
 */
public final class Positions implements SequenceLayer {
  private static final float DEVIATION = 0.02f; // Dosovitskiy et al. 2021
  private static final double LONGEST_WAVE = 10_000; // Vaswani et al. 2017, section 3.5

  private final Parameter table;
  private final boolean learned;

  private Positions(Parameter table, boolean learned) {
    this.table = table;
    this.learned = learned;
  }

  /**
   * Positions that are learned, normal with standard deviation 0.02 at first.
   *
   * @param name of the parameter
   * @param longest tokens of the longest sequence
   * @param features columns of the input
   * @param random where they come from: a {@linkplain CounterRandom#split split} for it alone, as
   *     the same generator gives two layers the same numbers
   * @return the layer
   */
  public static Positions learned(String name, int longest, int features, CounterRandom random) {
    FloatMatrix table = Initial.normal(longest, features, DEVIATION, random);
    return new Positions(new Parameter(name, table, false), true);
  }

  /**
   * Fixed positions: sines and cosines of wavelengths from 2 pi to 10,000 times as long (Vaswani et
   * al. 2017, section 3.5). Nothing is learned.
   *
   * @param longest tokens of the longest sequence
   * @param features columns of the input
   * @return the layer
   */
  public static Positions sinusoidal(int longest, int features) {
    FloatMatrix table = FloatMatrix.allocate(longest, features);
    for (int p = 0; p < longest; p++) {
      for (int j = 0; j < features; j++) {
        double angle = p / Math.pow(LONGEST_WAVE, (double) (j - j % 2) / features);
        table.set(p, j, (float) (j % 2 == 0 ? Math.sin(angle) : Math.cos(angle)));
      }
    }
    Parameter fixed = new Parameter("sinusoidal positions", table, false);
    fixed.setFrozen(true);
    return new Positions(fixed, false);
  }

  // x [tokens, features] -> y [tokens, features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    sequences.requireRows(x.rows());
    FloatMatrix p = table.value();
    if (x.cols() != p.cols() || sequences.maxLength() > p.rows()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s but sequences have up to %d tokens of %d features (expected up to %d of %d)",
              table,
              sequences.maxLength(),
              x.cols(),
              p.rows(),
              p.cols()));
    }
    FloatMatrix y = tape.result(x.rows(), x.cols());
    Elementwise serial = tape.kernels().serial().elementwise();
    tape.kernels()
        .parallel()
        .forEach(
            sequences.count(),
            s -> {
              int start = sequences.start(s);
              int end = start + sequences.length(s);
              serial.add(
                  x.value().rowRange(start, end),
                  p.rowRange(0, end - start),
                  y.rowRange(start, end));
            });
    return tape.node(y)
        .from(x)
        .uses(table)
        .backward((gy, kept) -> backward(tape, x, sequences, gy));
  }

  // gy [tokens, features] -> gx [tokens, features], gtable [longest, features]
  private void backward(Tape tape, Tensor x, Sequences sequences, FloatMatrix gy) {
    if (!table.frozen()) {
      FloatMatrix sums = table.grad();
      Elementwise serial = tape.kernels().serial().elementwise();
      tape.kernels()
          .parallel()
          .forEach(
              sequences.maxLength(),
              p -> {
                FloatMatrix sum = sums.rowRange(p, p + 1);
                for (int s = 0; s < sequences.count(); s++) {
                  if (p < sequences.length(s)) {
                    int t = sequences.start(s) + p;
                    serial.add(sum, gy.rowRange(t, t + 1), sum);
                  }
                }
              });
    }
    tape.passOn(x);
  }

  @Override
  public List<Parameter> parameters() {
    return learned ? List.of(table) : List.of();
  }
}
