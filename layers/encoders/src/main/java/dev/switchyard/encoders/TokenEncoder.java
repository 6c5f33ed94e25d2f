package dev.switchyard.encoders;

import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/** Makes hidden states of tokens: a pretrained encoder as it is, or with adapters. */
public interface TokenEncoder extends Model {
  /**
   * Computes the hidden states of single texts, all of whose tokens are of type 0.
   *
   * @param tape records and computes
   * @param ids of all tokens, one text after the other
   * @param sequences which of them form a text
   * @return [tokens, features]
   * @throws IllegalArgumentException if the lengths do not go together, a sequence is longer than
   *     there are positions, or an id has no embedding
   */
  Tensor forward(Tape tape, int[] ids, Sequences sequences);

  /**
   * The numbers of the pretrained encoder.
   *
   * @return its shape
   */
  BertShape shape();
}
