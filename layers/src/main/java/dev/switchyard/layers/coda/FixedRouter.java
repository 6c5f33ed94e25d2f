package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Optional;

/**
 * Chooses without looking at the tokens: the controls that a learned router has to beat, and its
 * two ends. What is chosen goes all the way through the heavy branch.
 *
 * <p>For use by one thread at a time.
 */
public final class FixedRouter implements Router {
  private interface Rule {
    /** Writes k places of a sequence, ascending. */
    void choose(Tape tape, int length, int k, int start, int[] rows, int at);
  }

  private final Capacity capacity; // null: as many as there are, or none
  private final boolean all;
  private final Rule rule;
  private final RouterStatistics statistics = new RouterStatistics();

  private FixedRouter(Capacity capacity, boolean all, Rule rule) {
    this.capacity = capacity;
    this.all = all;
    this.rule = rule;
  }

  /**
   * All tokens: the dense layer.
   *
   * @return the router
   */
  public static FixedRouter all() {
    return new FixedRouter(null, true, null);
  }

  /**
   * No token: nothing but the adapter is computed.
   *
   * @return the router
   */
  public static FixedRouter none() {
    return new FixedRouter(null, false, null);
  }

  /**
   * The first tokens of each sequence.
   *
   * @param reduction tokens for each chosen one, from 1
   * @return the router
   */
  public static FixedRouter first(double reduction) {
    return new FixedRouter(
        new Capacity(reduction),
        false,
        (tape, length, k, start, rows, at) -> {
          for (int t = 0; t < k; t++) {
            rows[at + t] = start + t;
          }
        });
  }

  /**
   * Tokens at random: others in each step of a training, and always the same ones of a sequence of
   * some length in inference.
   *
   * @param reduction tokens for each chosen one, from 1
   * @param random where the choice comes from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
   * @return the router
   */
  public static FixedRouter random(double reduction, CounterRandom random) {
    return new FixedRouter(
        new Capacity(reduction),
        false,
        (tape, length, k, start, rows, at) -> {
          long key = tape.isRecording() ? tape.draw(random) : random.key(length);
          // Each token in turn, with the probability that is left for it (Knuth, algorithm S).
          int chosen = 0;
          for (int t = 0; chosen < k; t++) {
            if (CounterRandom.uniform(key, t) * (length - t) < k - chosen) {
              rows[at + chosen] = start + t;
              chosen++;
            }
          }
        });
  }

  @Override
  public Routing route(Tape tape, Tensor x, Sequences sequences) {
    sequences.requireRows(x.rows());
    Selection selection = all ? Selection.all(sequences) : some(tape, sequences);
    for (int i = 0; i < sequences.count() && !tape.isRepeating(); i++) {
      statistics.countSequence(selection, i);
    }
    return new Routing(selection, Optional.empty());
  }

  private Selection some(Tape tape, Sequences sequences) {
    Sequences chosen =
        capacity == null ? Sequences.ofLengths(new int[sequences.count()]) : capacity.of(sequences);
    int[] rows = tape.indices(chosen.tokens());
    for (int i = 0; i < chosen.count() && rule != null; i++) {
      rule.choose(
          tape, sequences.length(i), chosen.length(i), sequences.start(i), rows, chosen.start(i));
    }
    return new Selection(sequences, chosen, rows);
  }

  @Override
  public FixedRouter withReduction(double reduction) {
    if (capacity == null) {
      throw new UnsupportedOperationException(
          "a router of " + (all ? "all tokens" : "no token") + " has no reduction to change");
    }
    return new FixedRouter(new Capacity(reduction), false, rule);
  }

  @Override
  public RouterStatistics statistics() {
    return statistics;
  }
}
