package dev.switchyard.bench.train;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.List;

/** What is trained on what, and how the outcome is judged. */
interface TrainingTask {
  /** The number of training examples. */
  int examples();

  /** What the accuracy of a model is called. */
  String accuracyName();

  /** A model before its first step; but for the precision, the same each time. */
  Learner model(Precision precision);

  /** A model in training. */
  interface Learner {
    List<Parameter> parameters();

    /**
     * The loss of part of a batch.
     *
     * @param epoch the pass over the examples, from 0
     * @param order the examples in the order of this pass
     * @param from where in the order the part begins
     * @param count the examples of the part
     */
    Tensor loss(Tape tape, int epoch, int[] order, int from, int count);

    /** Whether the loss is that of the whole batch, whatever part this process has. */
    boolean seesWholeBatch();

    /** Which test examples the model gets wrong. */
    List<Integer> mistakes(Kernels kernels);
  }
}
