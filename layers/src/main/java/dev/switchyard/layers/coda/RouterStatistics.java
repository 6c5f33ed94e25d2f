package dev.switchyard.layers.coda;

import java.util.Locale;
import java.util.Optional;

/**
 * What a router did, summed over batches until {@link #clear()}: a router that no longer chooses by
 * what it reads looks fine from outside. Costs a pass over the weights, so it is always on.
 */
public final class RouterStatistics {
  /** Parts of a sequence for {@link #selectedShare(int)}. */
  public static final int PLACES = 16;

  /** Below it weights are 0 and 1 to three digits, and scores get next to no gradient. */
  private static final double DEAD_ENTROPY = 1e-3;

  private final long[] tokensAt = new long[PLACES];
  private final long[] selectedAt = new long[PLACES];
  private long tokens;
  private long selected;
  private long amongFirst;
  private long saturated;
  private long weighed;
  private double entropy;
  private double spread;
  private double worstResidual;

  RouterStatistics() {}

  /** Counts the chosen tokens of a sequence. */
  void countSequence(Selection selection, int sequence) {
    int start = selection.all().start(sequence);
    int length = selection.all().length(sequence);
    int first = selection.chosen().start(sequence);
    int k = selection.chosen().length(sequence);
    long[] all = new long[PLACES];
    long[] chosen = new long[PLACES];
    int early = 0;
    for (int place = 0; place < PLACES; place++) {
      all[place] = begin(place + 1, length) - begin(place, length);
    }
    for (int j = first; j < first + k; j++) {
      int position = selection.row(j) - start;
      chosen[(int) ((long) position * PLACES / length)]++;
      early += position < k ? 1 : 0;
    }
    for (int place = 0; place < PLACES; place++) { // nothing from here on can fail half-way
      tokensAt[place] += all[place];
      selectedAt[place] += chosen[place];
    }
    tokens += length;
    selected += k;
    amongFirst += early;
  }

  /** The first token at a place. */
  private static long begin(int place, int length) {
    return Math.ceilDiv((long) place * length, PLACES);
  }

  /** Counts a sequence whose tokens were weighed, and whose weights were not all the same. */
  void countWeights(int length, TopKWeights.Report report, double spreadOverEps) {
    double residual = report.residual();
    double worst = Math.abs(residual) > Math.abs(worstResidual) ? residual : worstResidual;
    double ofWeights = report.entropy();
    int ones = report.saturated();
    weighed += length; // nothing from here on can fail half-way
    saturated += ones;
    entropy += length * ofWeights;
    spread += length * spreadOverEps;
    worstResidual = worst;
  }

  /**
   * The part of all tokens that was chosen.
   *
   * @return from 0 to 1; 0 if there was no token
   */
  public double selectedShare() {
    return share(selected, tokens);
  }

  /**
   * The part of the tokens that was chosen at a place in their sequences.
   *
   * @param place from 0, the first sixteenth of a sequence, to {@link #PLACES} - 1
   * @return from 0 to 1; 0 if there was no token
   */
  public double selectedShare(int place) {
    return share(selectedAt[place], tokensAt[place]);
  }

  /**
   * The part of the chosen tokens that the first k of each sequence would have had in common with
   * them. By chance it is {@link #selectedShare()}.
   *
   * @return from 0 to 1
   */
  public double overlapWithFirst() {
    return share(amongFirst, selected);
  }

  /**
   * The part of the tokens whose weight is 1: they tell the router nothing.
   *
   * @return from 0 to 1
   */
  public double saturation() {
    return share(saturated, weighed);
  }

  /**
   * The mean entropy of the weights over what it is at most.
   *
   * @return from 0, all weights are 0 or 1, to 1, all are equal
   */
  public double entropy() {
    return weighed == 0 ? 0 : entropy / weighed;
  }

  /**
   * The mean standard deviation of a sequence's scores, in units of eps. Above 30 or so the
   * gradient of soft top-k reaches few tokens.
   *
   * @return 0 or more
   */
  public double spreadOverEps() {
    return weighed == 0 ? 0 : spread / weighed;
  }

  /**
   * By how much the sum of a sequence's weights missed what it should have been, at worst.
   *
   * @return as a part of it, with its sign
   */
  public double worstResidual() {
    return worstResidual;
  }

  /**
   * A sentence about a router that cannot learn any more.
   *
   * @return the warning; none if all is well or nothing was weighed
   */
  public Optional<String> warning() {
    if (weighed == 0 || entropy() >= DEAD_ENTROPY) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "the router is dead: the entropy of its weights is %.1e of what it could be, scores"
                + " differ by %.0f times eps, and hardly a token passes a gradient on (a larger"
                + " eps, or one that decays, would help)",
            entropy(),
            spreadOverEps()));
  }

  /** Forgets everything. */
  public void clear() {
    for (int place = 0; place < PLACES; place++) {
      tokensAt[place] = 0;
      selectedAt[place] = 0;
    }
    tokens = 0;
    selected = 0;
    amongFirst = 0;
    saturated = 0;
    weighed = 0;
    entropy = 0;
    spread = 0;
    worstResidual = 0;
  }

  private static double share(long part, long whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }
}
