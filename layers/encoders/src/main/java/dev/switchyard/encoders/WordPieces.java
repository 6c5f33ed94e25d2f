package dev.switchyard.encoders;

import java.util.HashMap;
import java.util.Map;

/**
 * A vocabulary of word pieces, and how a word is cut into them: the longest piece that it begins
 * with, then the longest with which it goes on, and so forth (Devlin et al. 2019; Wu et al. 2016,
 * section 4.1). Immutable.
 */
final class WordPieces {
  private final Trie first;
  private final Trie further; // without the prefix
  private final int unknown;
  private final int maxLetters;
  private final Map<Integer, String> byId = new HashMap<>();

  /**
   * @param vocabulary ids of all tokens
   * @param prefix with which the pieces begin that go on with a word
   * @param unknown the token for words that cannot be cut
   * @param maxLetters longer words are not
   */
  WordPieces(Map<String, Integer> vocabulary, String prefix, int unknown, int maxLetters) {
    this.first = new Trie(vocabulary);
    this.unknown = unknown;
    this.maxLetters = maxLetters;
    Map<String, Integer> withoutPrefix = new HashMap<>();
    vocabulary.forEach(
        (piece, id) -> {
          if (piece.startsWith(prefix)) {
            withoutPrefix.put(piece.substring(prefix.length()), id);
          }
        });
    this.further = new Trie(withoutPrefix);
    vocabulary.forEach((piece, id) -> byId.put(id, piece));
  }

  /** The piece of an id as the vocabulary has it; null if there is none. */
  String piece(int id) {
    return byId.get(id);
  }

  /** The code points of the longest word that is cut into pieces. */
  int maxLetters() {
    return maxLetters;
  }

  /** Adds the pieces of a word of so many code points, or the unknown token for all of it. */
  void split(StringBuilder word, int letters, Words out) {
    int before = out.count();
    int from = letters > maxLetters ? -1 : 0;
    while (from >= 0 && from < word.length()) {
      from = piece(word, from, out);
    }
    if (from < 0) {
      out.cut(before);
      out.add(unknown);
    }
  }

  /** Adds the longest piece from there on and returns where it ends, -1 if there is none. */
  private int piece(StringBuilder word, int from, Words out) {
    Trie pieces = from == 0 ? first : further;
    int longest = pieces.longest(word, from);
    if (longest < 0) {
      return -1;
    }
    out.add(pieces.id(longest));
    return from + pieces.length(longest);
  }
}
