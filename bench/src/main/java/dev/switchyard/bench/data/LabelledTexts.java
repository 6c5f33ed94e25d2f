package dev.switchyard.bench.data;

import dev.switchyard.kernels.data.CounterRandom;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;

/**
 * Texts and the class of each.
 *
 * @param classes their names, in alphabetical order
 * @param texts one line each
 * @param labels the class of each text
 */
public record LabelledTexts(List<String> classes, List<String> texts, List<Integer> labels) {
  private static final String SHIPPED = "spam-assassin/mails.tsv.gz";

  /** Copies the lists. */
  public LabelledTexts {
    classes = List.copyOf(classes);
    texts = List.copyOf(texts);
    labels = List.copyOf(labels);
  }

  /**
   * Two parts of a data set.
   *
   * @param training to learn from
   * @param test to be judged by
   */
  public record Split(LabelledTexts training, LabelledTexts test) {}

  /**
   * 3,040 mails of the SpamAssassin corpus: spam, easy ham and hard ham. The README beside the file
   * says how they were chosen.
   */
  public static LabelledTexts shipped() {
    try (InputStream in =
        Objects.requireNonNull(LabelledTexts.class.getResourceAsStream(SHIPPED), SHIPPED)) {
      return read(SHIPPED, new GZIPInputStream(in));
    } catch (IOException e) {
      throw new DataException(SHIPPED + " cannot be read: " + e, e);
    }
  }

  /**
   * A file with a text a line: its class, a tab, and the text.
   *
   * @param file in UTF-8; compressed if its name ends in {@code .gz}
   * @throws DataException if it cannot be read, a line is not of that form, or there are not two
   *     classes of two texts each
   */
  public static LabelledTexts load(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      boolean compressed = file.toString().endsWith(".gz");
      return read(file.toString(), compressed ? new GZIPInputStream(in) : in);
    } catch (IOException e) {
      throw new DataException(
          file + " cannot be read: " + e + " (expected a file of labels and texts)", e);
    }
  }

  private static LabelledTexts read(String name, InputStream in) throws IOException {
    List<String> names = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                in,
                StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)));
    try {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        int tab = line.indexOf('\t');
        if (tab <= 0 || line.indexOf('\t', tab + 1) >= 0) {
          throw new DataException(
              String.format(
                  Locale.ROOT,
                  "line %d of %s is not a label, a tab and a text: %.40s",
                  names.size() + 1,
                  name,
                  line));
        }
        names.add(line.substring(0, tab));
        texts.add(line.substring(tab + 1));
      }
    } catch (CharacterCodingException e) {
      throw new DataException(
          "line " + (names.size() + 1) + " of " + name + ", or one soon after, is not UTF-8", e);
    }
    List<String> classes = List.copyOf(new TreeSet<>(names));
    List<Integer> labels = names.stream().map(classes::indexOf).toList();
    for (int c = 0; c < classes.size(); c++) {
      int label = c;
      if (labels.stream().filter(l -> l == label).count() < 2) {
        throw new DataException(
            name + " has a single text of class " + classes.get(c) + " (expected two or more)");
      }
    }
    if (classes.size() < 2) {
      throw new DataException(name + " has " + classes.size() + " classes (expected two or more)");
    }
    return new LabelledTexts(classes, texts, labels);
  }

  /** How many texts there are. */
  public int count() {
    return texts.size();
  }

  /**
   * Splits the texts so that each class has the same part in both.
   *
   * @param testShare the part for tests; at least one text of each class is in either
   * @param seed which texts
   */
  public Split split(double testShare, long seed) {
    boolean[] tests = new boolean[count()];
    for (int c = 0; c < classes.size(); c++) {
      int label = c;
      int[] of = IntStream.range(0, count()).filter(i -> labels.get(i) == label).toArray();
      int[] order = new CounterRandom(seed).split(-2).permutation(of.length, c);
      int share = Math.clamp(Math.round(testShare * of.length), 1, of.length - 1);
      Arrays.stream(order, 0, share).forEach(i -> tests[of[i]] = true);
    }
    return new Split(part(tests, false), part(tests, true));
  }

  private LabelledTexts part(boolean[] tests, boolean wanted) {
    List<String> partTexts = new ArrayList<>();
    List<Integer> partLabels = new ArrayList<>();
    for (int i = 0; i < count(); i++) {
      if (tests[i] == wanted) {
        partTexts.add(texts.get(i));
        partLabels.add(labels.get(i));
      }
    }
    return new LabelledTexts(classes, partTexts, partLabels);
  }
}
