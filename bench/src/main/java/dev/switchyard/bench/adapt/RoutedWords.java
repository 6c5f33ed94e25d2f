package dev.switchyard.bench.adapt;

import dev.switchyard.bench.data.LabelledTexts;
import dev.switchyard.bench.page.MarkedWords;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.coda.ConditionalAdapter;
import dev.switchyard.layers.coda.Selection;
import java.util.ArrayList;
import java.util.List;

/** Which words of some texts go through the heavy branch, and in how many layers. */
final class RoutedWords {
  private static final int CLASSES = 20;
  private static final int TEXTS_A_CLASS = 2;
  private static final String GOES_ON = "##";

  private RoutedWords() {}

  /** The first texts of each class, or of the first of many classes. */
  static MarkedWords of(
      Classifier classifier,
      LabelledTexts tests,
      Tokens tokens,
      WordPieceTokenizer tokenizer,
      Kernels kernels) {
    List<List<MarkedWords.Word>> marked = new ArrayList<>();
    List<List<Integer>> byClass = tests.byClass();
    for (int label = 0; label < Math.min(CLASSES, byClass.size()); label++) {
      String heading = tests.classes().get(label) + ":";
      byClass.get(label).stream()
          .limit(TEXTS_A_CLASS)
          .forEach(i -> marked.add(words(heading, classifier, tokens, i, tokenizer, kernels)));
    }
    return new MarkedWords(
        "Words on their way", "passes all blocks by", "goes through every block", marked);
  }

  private static List<MarkedWords.Word> words(
      String heading,
      Classifier classifier,
      Tokens tokens,
      int text,
      WordPieceTokenizer tokenizer,
      Kernels kernels) {
    int[] ids = tokens.ids()[text];
    int[] times = new int[ids.length];
    List<ConditionalAdapter> adapters = classifier.encoder().adapters();
    adapters.forEach(adapter -> adapter.observe(selection -> count(selection, times)));
    classifier.scores(Tape.none(kernels), tokens.batch(new int[] {text}));
    adapters.forEach(adapter -> adapter.observe(selection -> {}));
    double most = adapters.size() * adapters.getFirst().statistics().size();
    List<MarkedWords.Word> words = new ArrayList<>();
    words.add(new MarkedWords.Word(heading, 0, false));
    for (int t = 0; t < ids.length; t++) {
      String piece = tokenizer.piece(ids[t]);
      boolean joined = piece.startsWith(GOES_ON);
      words.add(
          new MarkedWords.Word(
              joined ? piece.substring(GOES_ON.length()) : piece, times[t] / most, joined));
    }
    return words;
  }

  private static void count(Selection selection, int[] times) {
    for (int j = 0; j < selection.chosen().tokens(); j++) {
      times[selection.row(j)]++;
    }
  }
}
