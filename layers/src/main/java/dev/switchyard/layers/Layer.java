package dev.switchyard.layers;

/**
 * A function of tokens, each row for itself, and what it learns. For use by one thread at a time.
 */
public interface Layer extends Model {
  /**
   * Computes the layer's output and records on the tape how to go back.
   *
   * @param tape records and computes
   * @param x [rows, features]
   * @return the output
   * @throws IllegalArgumentException if x has not the number of features that the layer expects
   */
  Tensor forward(Tape tape, Tensor x);
}
