package dev.switchyard.layers;

import dev.switchyard.kernels.data.Sequences;

/** A function of whole sequences of tokens, and what it learns. For use by one thread at a time. */
public interface SequenceLayer extends Model {
  /**
   * Computes the layer's output and records on the tape how to go back.
   *
   * @param tape records and computes
   * @param x [tokens, features]
   * @param sequences which rows of x form a sequence
   * @return the output
   * @throws IllegalArgumentException if x has not the number of features that the layer expects, or
   *     not the number of rows that the sequences have
   */
  Tensor forward(Tape tape, Tensor x, Sequences sequences);
}
