package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/** Chooses which tokens of each sequence go through the heavy branch of a layer. */
public interface Router extends Model {
  /**
   * Chooses, and records on the tape how to go back to the scores.
   *
   * @param tape records and computes; recording means training
   * @param x [tokens, features]
   * @param sequences which rows of x form a sequence
   * @return the tokens that were chosen, and their gates
   * @throws IllegalArgumentException if x and the sequences do not go together
   * @throws NonFiniteException if a token's score is not finite and the policy of the tape's
   *     kernels is to reject it; otherwise its sequence chooses its first tokens, with gates of NaN
   */
  Routing route(Tape tape, Tensor x, Sequences sequences);

  /**
   * The same router, with the same parameters, that chooses another part of the tokens.
   *
   * @param reduction how many tokens there are for each chosen one, from 1
   * @return the router
   * @throws UnsupportedOperationException if it has no such number
   */
  Router withReduction(double reduction);

  /**
   * Says that a training step was made, for whatever changes with them.
   *
   * @param step how many were made in all
   */
  default void startStep(long step) {}

  /**
   * What was observed since it was last cleared.
   *
   * @return the statistics, always the same object
   */
  RouterStatistics statistics();
}
