package dev.switchyard.kernels.data;

import java.util.Arrays;

/**
 * Which rows of a matrix form a sequence. Sequences lie one after the other and may differ in
 * length; there is no padding anywhere. Immutable and thread-safe.
 */
public final class Sequences {
  private final int[] starts;
  private final int maxLength;

  private Sequences(int[] starts) {
    this.starts = starts;
    int max = 0;
    for (int i = 0; i < count(); i++) {
      max = Math.max(max, length(i));
    }
    this.maxLength = max;
  }

  /**
   * Sequences of given lengths.
   *
   * @param lengths rows of each sequence, 0 or more
   * @return the sequences
   * @throws IllegalArgumentException if a length is negative or their sum is over the int range
   */
  public static Sequences ofLengths(int... lengths) {
    int[] starts = new int[lengths.length + 1];
    for (int i = 0; i < lengths.length; i++) {
      long end = (long) starts[i] + lengths[i];
      if (lengths[i] < 0 || end > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "sequence " + i + " has length " + lengths[i] + " (expected 0 or more, total an int)");
      }
      starts[i + 1] = (int) end;
    }
    return new Sequences(starts);
  }

  /**
   * Sequences of one length.
   *
   * @param count how many
   * @param length rows of each
   * @return the sequences
   * @throws IllegalArgumentException if a number is negative or the product is over the int range
   */
  public static Sequences uniform(int count, int length) {
    if (count < 0) {
      throw new IllegalArgumentException("count is " + count + " (expected 0 or more)");
    }
    if (length < 0) {
      throw new IllegalArgumentException("length is " + length + " (expected 0 or more)");
    }
    if ((long) count * length > Integer.MAX_VALUE) { // before their memory is asked for
      throw new IllegalArgumentException(
          count + " sequences have length " + length + " (expected a total that is an int)");
    }
    int[] lengths = new int[count];
    Arrays.fill(lengths, length);
    return ofLengths(lengths);
  }

  /**
   * The number of sequences.
   *
   * @return how many there are
   */
  public int count() {
    return starts.length - 1;
  }

  /**
   * The number of rows of all sequences together.
   *
   * @return the number of tokens
   */
  public int tokens() {
    return starts[starts.length - 1];
  }

  /**
   * The first row of a sequence.
   *
   * @param sequence its index
   * @return its first row
   * @throws IndexOutOfBoundsException if there is no such sequence
   */
  public int start(int sequence) {
    Bounds.checkRange("sequence", sequence, sequence + 1, count());
    return starts[sequence];
  }

  /**
   * The number of rows of a sequence.
   *
   * @param sequence its index
   * @return its length
   * @throws IndexOutOfBoundsException if there is no such sequence
   */
  public int length(int sequence) {
    int start = start(sequence); // checks the index
    return starts[sequence + 1] - start;
  }

  /**
   * The length of the longest sequence.
   *
   * @return the length, 0 if there is no sequence
   */
  public int maxLength() {
    return maxLength;
  }

  /**
   * Checks that a matrix has one row a token.
   *
   * @param rows rows of the matrix
   * @throws IllegalArgumentException if it has more or fewer
   */
  public void requireRows(int rows) {
    if (rows != tokens()) {
      throw new IllegalArgumentException(
          "input has " + rows + " rows but there are " + this + " (expected equal)");
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Sequences that && Arrays.equals(starts, that.starts);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(starts);
  }

  @Override
  public String toString() {
    return count() + " sequences of " + tokens() + " tokens";
  }
}
