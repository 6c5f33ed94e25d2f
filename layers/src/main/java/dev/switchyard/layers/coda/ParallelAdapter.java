package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.activation.Gelu;
import dev.switchyard.layers.block.Dropout;
import java.util.List;

/**
 * The light branch that all tokens pass (Houlsby et al. 2019; beside the layer, as He et al. 2022
 * place it):
 *
 * <pre>
 *   y = W_up gelu(W_down x + b_down) + b_up
 * </pre>
 *
 * W_up and the biases are zero at first, so that an adapted layer begins as it was.
 */
public final class ParallelAdapter implements Layer {
  private final Linear down;
  private final Gelu gelu = new Gelu();
  private final Linear up;
  private final Dropout dropout;

  /**
   * An adapter with random W_down, uniform in {@code +-1 / sqrt(features)} as in He et al.'s code.
   *
   * @param name prefix of the parameters' names
   * @param features columns of input and output
   * @param bottleneck features in between
   * @param precision of both linear layers
   * @param dropout the part of the result that is dropped while training
   * @param random where weights and masks come from: a {@linkplain CounterRandom#split split} for
   *     it alone, as the same generator gives two layers the same numbers
   * @throws IllegalArgumentException if a number is out of range
   */
  public ParallelAdapter(
      String name,
      int features,
      int bottleneck,
      Precision precision,
      float dropout,
      CounterRandom random) {
    if (features < 1 || bottleneck < 1) {
      throw new IllegalArgumentException(
          "an adapter of "
              + features
              + " features has a bottleneck of "
              + bottleneck
              + " (expected 1 or more of each)");
    }
    FloatMatrix w = FloatMatrix.allocate(bottleneck, features);
    long key = random.key(0);
    for (int i = 0; i < w.data().length; i++) {
      w.data()[i] = (float) ((2 * CounterRandom.uniform(key, i) - 1) / Math.sqrt(features));
    }
    this.down =
        Linear.of(new Parameter(name + ".down.weight", w, true))
            .bias(Parameter.vector(name + ".down.bias", new float[bottleneck]))
            .precision(precision)
            .build();
    this.up =
        Linear.of(
                new Parameter(
                    name + ".up.weight", FloatMatrix.allocate(features, bottleneck), true))
            .bias(Parameter.vector(name + ".up.bias", new float[features]))
            .precision(precision)
            .build();
    this.dropout = new Dropout(dropout, random.split(1));
  }

  // x [rows, features] -> [rows, bottleneck] -> y [rows, features]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    Tensor hidden = down.forward(tape, x);
    Tensor active = gelu.forward(tape, hidden);
    tape.release(hidden);
    Tensor y = up.forward(tape, active);
    tape.release(active);
    Tensor left = dropout.forward(tape, y);
    if (left != y) {
      tape.release(y);
    }
    return left;
  }

  @Override
  public List<? extends Model> parts() {
    return List.of(down, up);
  }
}
