package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.Sequences;
import java.util.Arrays;

/**
 * How many tokens of a sequence are chosen: {@code k = ceil(n / reduction)} of its own n, so that a
 * sequence is treated the same in whatever batch it is.
 *
 * @param reduction from 1
 */
record Capacity(double reduction) {
  Capacity {
    if (!(reduction >= 1 && reduction < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "reduction is " + reduction + " (expected a number from 1 on)");
    }
  }

  int of(int length) {
    return (int) Math.ceil(length / reduction);
  }

  Sequences of(Sequences sequences) {
    int[] lengths = new int[sequences.count()];
    Arrays.setAll(lengths, s -> of(sequences.length(s)));
    return Sequences.ofLengths(lengths);
  }
}
