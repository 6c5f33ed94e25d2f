package dev.switchyard.layers.model;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Initial;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.SequenceLayer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.norm.LayerNorm;
import java.util.List;

/**
 * What is made of a whole sequence, scores of classes or an embedding:
 *
 * <pre>
 *   y_s = W pool(norm(x_t) for t in s) + b
 * </pre>
 *
 * In float32: a small part of the work, and the one to which the loss is most sensitive.
 */
public final class SequenceHead implements SequenceLayer {
  private final LayerNorm norm;
  private final Pooling pooling;
  private final Linear linear;

  private SequenceHead(LayerNorm norm, Pooling pooling, Linear linear) {
    this.norm = norm;
    this.pooling = pooling;
    this.linear = linear;
  }

  /**
   * A head for classification, with random weights as in {@link Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of its input
   * @param classes columns of its output
   * @param pooling which tokens it looks at
   * @param random where the weights come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
   * @return the head
   */
  public static SequenceHead scores(
      String name, int features, int classes, Pooling pooling, CounterRandom random) {
    Linear linear = new Linear(name + ".scores", features, classes, Precision.FLOAT32, random);
    return new SequenceHead(new LayerNorm(name + ".norm", features), pooling, linear);
  }

  /**
   * A head for embeddings, without a bias, with random weights as in {@link Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of its input
   * @param size columns of its output
   * @param pooling which tokens it looks at
   * @param random where the weights come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
   * @return the head
   */
  public static SequenceHead embedding(
      String name, int features, int size, Pooling pooling, CounterRandom random) {
    Parameter weight =
        new Parameter(name + ".projection.weight", Initial.glorot(size, features, random), true);
    Linear linear = Linear.of(weight).build();
    return new SequenceHead(new LayerNorm(name + ".norm", features), pooling, linear);
  }

  // x [tokens, features] -> [sequences, features] -> y [sequences, classes or size]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    Tensor normal = norm.forward(tape, x);
    Tensor pooled = pooling.forward(tape, normal, sequences);
    tape.release(normal);
    return linear.forward(tape, pooled);
  }

  @Override
  public List<? extends Model> parts() {
    return List.of(norm, linear);
  }
}
