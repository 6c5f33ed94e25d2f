package dev.switchyard.bench.adapt;

import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Tape;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The states that a pretrained encoder gives for batches of texts, which all variants learn from in
 * the same order: kept for the next one as far as they fit.
 */
final class DenseStates {
  private static final long MOST_FLOATS = 1 << 26; // 256 MiB

  private final BertEncoder encoder;
  private final Tokens tokens;
  private final Tape tape;
  private final Map<List<Integer>, FloatMatrix> known = new HashMap<>();
  private long floats;

  DenseStates(BertEncoder encoder, Tokens tokens, Kernels kernels) {
    this.encoder = encoder;
    this.tokens = tokens;
    this.tape = Tape.inference(kernels);
  }

  /**
   * The states of some texts, one after the other.
   *
   * @return [tokens, features], not to be changed, and only valid until the next call
   */
  FloatMatrix of(int[] texts) {
    List<Integer> key = Arrays.stream(texts).boxed().toList();
    FloatMatrix states = known.get(key);
    if (states == null) {
      tape.reset();
      Tokens.Batch batch = tokens.batch(texts);
      states = encoder.forward(tape, batch.ids(), batch.sequences()).value();
      long size = (long) states.rows() * states.cols();
      if (floats + size <= MOST_FLOATS) {
        floats += size;
        states = states.copy();
        known.put(key, states);
      }
    }
    return states;
  }
}
