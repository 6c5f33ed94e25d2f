package dev.switchyard.layers.training;

import dev.switchyard.kernels.data.CounterRandom;
import java.util.Arrays;
import java.util.function.Function;

/**
 * The batches of a training, by their place: what is asked for twice is the same twice, so that a
 * run that was interrupted goes on where it was. For use by one thread.
 *
 * @param <B> a batch
 */
public interface Batches<B> {
  /**
   * How many batches a pass over the data has.
   *
   * @return 1 or more, always the same
   */
  int perPass();

  /**
   * A batch.
   *
   * @param pass over the data, from 0
   * @param place in the pass, from 0 to {@code perPass() - 1}
   * @return the batch
   */
  B batch(long pass, int place);

  /**
   * Batches of examples in a new order each pass; those that are left when the others have filled
   * whole batches wait for the next pass.
   *
   * @param examples how many there are
   * @param size examples of a batch, from 1 to {@code examples}
   * @param random chooses the orders
   * @param gather makes a batch of the examples with given numbers, from 0
   * @param <B> a batch
   * @return the batches
   * @throws IllegalArgumentException if the size is out of range
   */
  static <B> Batches<B> shuffled(
      int examples, int size, CounterRandom random, Function<int[], B> gather) {
    if (size < 1 || size > examples) {
      throw new IllegalArgumentException(
          "a batch has " + size + " of " + examples + " examples (expected 1 to " + examples + ")");
    }
    return new Batches<>() {
      private long ordered = -1;
      private int[] order = {};

      @Override
      public int perPass() {
        return examples / size;
      }

      @Override
      public B batch(long pass, int place) {
        if (pass != ordered) {
          order = random.permutation(examples, pass);
          ordered = pass;
        }
        return gather.apply(Arrays.copyOfRange(order, place * size, (place + 1) * size));
      }
    };
  }
}
