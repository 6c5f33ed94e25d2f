package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.Sequences;
import java.util.Objects;

/**
 * Which tokens of each sequence were chosen. Belongs to the step of the tape that it was made in.
 */
public final class Selection {
  private final Sequences all;
  private final Sequences chosen;
  private final int[] rows;

  /**
   * @param all the sequences
   * @param chosen how many of each, as sequences of their own
   * @param rows which rows, ascending; only the first so many count
   */
  Selection(Sequences all, Sequences chosen, int[] rows) {
    this.all = all;
    this.chosen = chosen;
    this.rows = rows;
  }

  /** All tokens of all sequences. */
  static Selection all(Sequences sequences) {
    return new Selection(sequences, sequences, null);
  }

  /**
   * The sequences that were chosen from.
   *
   * @return all tokens
   */
  public Sequences all() {
    return all;
  }

  /**
   * The chosen tokens of each sequence, as sequences of a matrix that has no other rows.
   *
   * @return as many sequences, none of them longer
   */
  public Sequences chosen() {
    return chosen;
  }

  /**
   * Whether nothing was left out, so that no row need be moved.
   *
   * @return true if so
   */
  public boolean isAll() {
    return chosen.tokens() == all.tokens();
  }

  /**
   * The row of a chosen token.
   *
   * @param j which of the chosen, over all sequences
   * @return its row among all tokens
   * @throws IndexOutOfBoundsException if there is no such token
   */
  public int row(int j) {
    Objects.checkIndex(j, chosen.tokens());
    return rows == null ? j : rows[j];
  }

  /** The rows, ascending, and perhaps some more elements; not if {@link #isAll}. */
  int[] rows() {
    return rows;
  }
}
