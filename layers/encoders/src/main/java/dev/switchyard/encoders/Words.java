package dev.switchyard.encoders;

import java.util.Arrays;

/**
 * Collects the tokens of one text: cuts normalized text into words, at white space and around each
 * punctuation mark, and these into word pieces.
 */
final class Words implements BertNormalizer.Sink {
  private final WordPieces pieces;
  private final int limit;
  private final StringBuilder word = new StringBuilder();
  private int letters;
  private int[] ids = new int[32];
  private int count;

  /** At most {@code limit} tokens. */
  Words(WordPieces pieces, int limit) {
    this.pieces = pieces;
    this.limit = limit;
  }

  @Override
  public void accept(int c) {
    if (CodePoints.isWhitespace(c)) {
      end();
    } else if (CodePoints.isPunctuation(c)) {
      end();
      put(c);
      end();
    } else {
      put(c);
    }
  }

  private void put(int c) {
    if (letters <= pieces.maxLetters()) { // one more says that there are too many
      word.appendCodePoint(c);
      letters++;
    }
  }

  /** Ends the word, if there is one. */
  void end() {
    if (letters > 0) {
      pieces.split(word, letters, this);
      word.setLength(0);
      letters = 0;
    }
  }

  /** Adds a token. */
  void add(int id) {
    if (count == ids.length) {
      ids = Arrays.copyOf(ids, 2 * count);
    }
    ids[count++] = id;
  }

  /** How many tokens there are, possibly a few more than the limit. */
  int count() {
    return count;
  }

  /** Takes back all tokens but the first so many. */
  void cut(int newCount) {
    count = newCount;
  }

  @Override
  public boolean isFull() {
    return count >= limit;
  }

  /** The tokens up to the limit, between two lists of others. */
  int[] between(int[] before, int[] after) {
    int n = Math.min(count, limit);
    int[] all = Arrays.copyOf(before, before.length + n + after.length);
    System.arraycopy(ids, 0, all, before.length, n);
    System.arraycopy(after, 0, all, before.length + n, after.length);
    return all;
  }
}
