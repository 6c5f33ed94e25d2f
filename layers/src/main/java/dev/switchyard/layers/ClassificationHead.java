package dev.switchyard.layers;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import java.util.List;

/**
 * Scores of classes for each sequence:
 *
 * <pre>
 *   y_s = W mean(norm(x_t) for t in s) + b
 * </pre>
 *
 * In float32: a small part of the work, and the one to which the loss is most sensitive.
 */
public final class ClassificationHead implements SequenceLayer {
  private final LayerNorm norm;
  private final MeanPool pool = new MeanPool();
  private final Linear scores;

  /**
   * A head with random weights as in {@link Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of its input
   * @param classes columns of its output
   * @param random where the weights come from
   */
  public ClassificationHead(String name, int features, int classes, CounterRandom random) {
    norm = new LayerNorm(name + ".norm", features);
    scores = new Linear(name + ".scores", features, classes, Precision.FLOAT32, random);
  }

  // x [tokens, features] -> [sequences, features] -> y [sequences, classes]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    return scores.forward(tape, pool.forward(tape, norm.forward(tape, x), sequences));
  }

  @Override
  public List<Parameter> parameters() {
    return Parameter.concat(norm.parameters(), scores.parameters());
  }
}
