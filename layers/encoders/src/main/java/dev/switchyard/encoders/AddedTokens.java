package dev.switchyard.encoders;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Tokens that are found in a text as they are written, before it is cut into words: the leftmost
 * first, and of several that begin at one place the longest. Immutable.
 */
final class AddedTokens {
  private final List<Token> tokens;
  private final Trie texts; // whose ids are places in the list

  /**
   * A token.
   *
   * @param text how it is written
   * @param singleWord whether letters may not touch it
   * @param takesLeft whether white space before it belongs to it
   * @param takesRight whether white space after it does
   */
  record Token(String text, int id, boolean singleWord, boolean takesLeft, boolean takesRight) {}

  /** Takes the part of a text between tokens. */
  interface Rest {
    void take(String text, int from, int to);
  }

  /** Of tokens that are written alike the first counts. */
  AddedTokens(List<Token> tokens) {
    this.tokens = List.copyOf(tokens);
    Map<String, Integer> places = new HashMap<>();
    for (int i = 0; i < tokens.size(); i++) {
      places.putIfAbsent(tokens.get(i).text(), i);
    }
    texts = new Trie(places);
  }

  boolean isEmpty() {
    return texts.isEmpty();
  }

  /**
   * Gives the tokens in a text and what is between them away, in order, until no more is wanted.
   */
  void split(String text, Words words, Rest rest) {
    int done = 0;
    int at = 0;
    while (at < text.length() && !words.isFull()) {
      int place = texts.longest(text, at);
      if (place < 0) {
        at++;
        continue;
      }
      Token token = tokens.get(texts.id(place));
      int end = at + token.text().length();
      if (!token.singleWord() || standsAlone(text, at, end)) {
        int from = token.takesLeft() ? Math.max(done, spaceBefore(text, at, done)) : at;
        if (done < from) {
          rest.take(text, done, from);
        }
        // What is done already behind the token is white space, and is not looked at again.
        int to = token.takesRight() ? spaceAfter(text, Math.max(end, done)) : end;
        if (from < to) { // else the one before has taken all of this, which is white space
          words.add(token.id());
        }
        done = Math.max(done, to);
      }
      at = end;
    }
    if (done < text.length()) {
      rest.take(text, done, text.length());
    }
  }

  private static boolean standsAlone(String text, int from, int to) {
    return (from == 0 || !CodePoints.isOfWord(text.codePointBefore(from)))
        && (to == text.length() || !CodePoints.isOfWord(text.codePointAt(to)));
  }

  private static int spaceBefore(String text, int from, int least) {
    int at = from;
    while (at > least && CodePoints.isWhitespace(text.charAt(at - 1))) {
      at--;
    }
    return at;
  }

  private static int spaceAfter(String text, int from) {
    int at = from;
    while (at < text.length() && CodePoints.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at;
  }
}
