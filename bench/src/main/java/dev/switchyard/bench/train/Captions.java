package dev.switchyard.bench.train;

import dev.switchyard.kernels.data.CounterRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Sentences about clothing, for training images together with text: a template, in which the name
 * of what an image shows is put. A token is a word; each text is framed by a start and an end.
 */
final class Captions {
  private static final int START = 0;
  private static final int END = 1;
  private static final int WORDS = 2; // the first id of a word

  /** Names of the ten classes of Fashion-MNIST, the one to ask for first. */
  private static final List<List<String>> NAMES =
      List.of(
          List.of("t-shirt", "top", "short sleeved t-shirt"),
          List.of("pair of trousers", "pair of pants"),
          List.of("pullover", "sweater"),
          List.of("dress", "long dress"),
          List.of("coat", "jacket"),
          List.of("sandal", "light sandal"),
          List.of("shirt", "buttoned shirt"),
          List.of("sneaker", "sports shoe"),
          List.of("bag", "handbag"),
          List.of("ankle boot", "boot"));

  private static final List<String> TEMPLATES =
      List.of(
          "a photo of a {}",
          "a small picture of a {}",
          "this is a {}",
          "the shop sells a {}",
          "one {} in black and white",
          "a {} on a dark background",
          "the image is of a {}",
          "a {}");

  /** Of the same words, but none that is trained with. */
  private static final List<String> PROMPTS =
      List.of("a picture of a {}", "this is a photo of a {}", "the image of a {}");

  private final List<String> vocabulary;

  Captions() {
    SortedSet<String> words = new TreeSet<>();
    for (List<String> names : NAMES) {
      names.forEach(name -> words.addAll(List.of(name.split(" ", -1))));
    }
    for (String template : TEMPLATES) {
      words.addAll(List.of(template.split(" ", -1)));
    }
    words.remove("{}");
    vocabulary = List.copyOf(words);
  }

  /** How many ids there are. */
  int vocabulary() {
    return WORDS + vocabulary.size();
  }

  /** The number of tokens of the longest text. */
  int longest() {
    return Stream.concat(TEMPLATES.stream(), PROMPTS.stream())
        .flatMap(template -> NAMES.stream().flatMap(List::stream).map(n -> tokens(template, n)))
        .mapToInt(tokens -> tokens.length)
        .max()
        .orElseThrow();
  }

  /** The tokens of a text about an image of a class; equal draws give equal texts. */
  int[] draw(int label, long key, int draw) {
    List<String> names = NAMES.get(label);
    String template = pick(TEMPLATES, CounterRandom.bits(key, 2 * draw));
    return tokens(template, pick(names, CounterRandom.bits(key, 2 * draw + 1)));
  }

  private static String pick(List<String> from, int bits) {
    return from.get(Math.floorMod(bits, from.size()));
  }

  /** The texts that ask for a class. */
  List<int[]> prompts(int label) {
    List<int[]> prompts = new ArrayList<>();
    PROMPTS.forEach(prompt -> prompts.add(tokens(prompt, NAMES.get(label).getFirst())));
    return prompts;
  }

  private int[] tokens(String template, String name) {
    String[] words = template.replace("{}", name).split(" ", -1);
    int[] ids = new int[words.length + 2];
    ids[0] = START;
    for (int i = 0; i < words.length; i++) {
      int word = vocabulary.indexOf(words[i]);
      if (word < 0) {
        throw new IllegalStateException("no training text has the word " + words[i]);
      }
      ids[i + 1] = WORDS + word;
    }
    ids[words.length + 1] = END;
    return ids;
  }
}
