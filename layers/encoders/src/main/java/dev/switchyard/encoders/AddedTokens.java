package dev.switchyard.encoders;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Tokens that are found in a text as they are written, before anything is done to it: the leftmost
 * first, and of several that begin at one place the longest. Immutable.
 */
final class AddedTokens {
  private final Map<Character, List<Token>> byFirst = new HashMap<>();

  /** A token and its id. */
  record Token(String text, int id) {}

  AddedTokens(Map<String, Integer> ids) {
    ids.forEach(
        (text, id) ->
            byFirst
                .computeIfAbsent(text.charAt(0), c -> new ArrayList<>())
                .add(new Token(text, id)));
    Comparator<Token> byLength = Comparator.comparingInt(token -> token.text().length());
    byFirst.values().forEach(tokens -> tokens.sort(byLength.reversed()));
  }

  /** The first place from there on where a token begins, or the length of the text. */
  int find(String text, int from) {
    int at = from;
    while (at < text.length() && at(text, at) == null) {
      at++;
    }
    return at;
  }

  /** The token that begins at that place; null if none does. */
  Token at(String text, int place) {
    for (Token token : byFirst.getOrDefault(text.charAt(place), List.of())) {
      if (text.startsWith(token.text(), place)) {
        return token;
      }
    }
    return null;
  }
}
