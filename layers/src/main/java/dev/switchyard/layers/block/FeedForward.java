package dev.switchyard.layers.block;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.activation.Gelu;
import java.util.List;

/**
 * The feed-forward part of a transformer block (Vaswani et al. 2017, section 3.3, with GELU):
 *
 * <pre>
 *   y = gelu(x W1^T + b1) W2^T + b2
 * </pre>
 */
public final class FeedForward implements Layer {
  private final Linear up;
  private final Gelu gelu = new Gelu();
  private final Linear down;

  /**
   * A layer with random weights as in {@link Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of input and output
   * @param hidden features in between, usually four times as many
   * @param precision of both linear layers
   * @param random where the weights come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
   */
  public FeedForward(
      String name, int features, int hidden, Precision precision, CounterRandom random) {
    this(
        new Linear(name + ".up", features, hidden, precision, random.split(0)),
        new Linear(name + ".down", hidden, features, precision, random.split(1)));
  }

  /**
   * A layer of given linear layers.
   *
   * @param up from features to hidden features
   * @param down from hidden features to features
   */
  public FeedForward(Linear up, Linear down) {
    this.up = up;
    this.down = down;
  }

  // x [rows, features] -> [rows, hidden] -> y [rows, features]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    Tensor hidden = up.forward(tape, x);
    Tensor active = gelu.forward(tape, hidden);
    tape.release(hidden);
    Tensor y = down.forward(tape, active);
    tape.release(active);
    return y;
  }

  @Override
  public List<? extends Model> parts() {
    return List.of(up, down);
  }
}
