package dev.switchyard.bench.adapt;

import dev.switchyard.bench.data.DataException;
import dev.switchyard.bench.data.Reason;
import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.layers.coda.AdapterFile;
import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A classifier in its file: what was learned, the names of the classes, where texts are cut, and
 * what the head looks at.
 *
 * @param file the learned parameters
 * @param classes the names of the classes
 * @param maxTokens of a text
 * @param pooling of the states of a text, for the head
 */
record SavedClassifier(AdapterFile file, List<String> classes, int maxTokens, Pooling pooling) {
  private static final String CLASSES = "classes";
  private static final String MAX_TOKENS = "maxTokens";
  private static final String POOLING = "pooling";
  private static final String SEPARATOR = "\t"; // which no label of a data file holds

  static SavedClassifier of(
      Classifier classifier, List<String> classes, int maxTokens, Pooling pooling) {
    Map<String, String> notes =
        Map.of(
            CLASSES,
            String.join(SEPARATOR, classes),
            MAX_TOKENS,
            Integer.toString(maxTokens),
            POOLING,
            pooling.name());
    return new SavedClassifier(
        classifier.encoder().toFile(classifier.head().parameters(), 0, notes),
        classes,
        maxTokens,
        pooling);
  }

  void write(Path path) throws IOException {
    file.write(path);
  }

  static SavedClassifier read(Path path) {
    try {
      AdapterFile file = AdapterFile.read(path);
      String classes = file.notes().get(CLASSES);
      if (classes == null) {
        throw new DataException(path + " names no classes (expected a file of switchyard adapt)");
      }
      return new SavedClassifier(
          file,
          List.of(classes.split(SEPARATOR, -1)),
          Integer.parseInt(String.valueOf(file.notes().get(MAX_TOKENS))),
          Pooling.valueOf(file.notes().getOrDefault(POOLING, Pooling.MEAN.name()))); // older: mean
    } catch (IOException e) {
      throw new DataException("the adapter cannot be read: " + Reason.of(path, e), e);
    } catch (IllegalArgumentException e) { // NumberFormatException is one
      throw new DataException(
          path + " is no file of switchyard adapt: " + e.getMessage() + " in its notes", e);
    }
  }

  /**
   * The classifier.
   *
   * @throws DataException if it was made for another encoder
   */
  Classifier classifier(BertEncoder base) {
    Classifier classifier = new Classifier(base, file.options(), pooling, classes.size(), 0);
    try {
      classifier.encoder().load(file, classifier.head().parameters());
    } catch (IllegalArgumentException e) {
      throw new DataException(e.getMessage(), e);
    }
    return classifier;
  }
}
