package dev.switchyard.bench.data;

import dev.switchyard.kernels.data.CounterRandom;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
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

  /** What is beyond these, once a compressed file is read, was not meant for this reader. */
  private static final long MOST_LETTERS = 1 << 28;

  private static final int MOST_TEXTS = 1 << 22;

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
      throw new DataException(SHIPPED + " cannot be read: " + Reason.of(e), e);
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
          String.format(
              Locale.ROOT,
              "%s cannot be read: %s (expected a file of labels and texts)",
              file,
              Reason.of(e)),
          e);
    }
  }

  private static LabelledTexts read(String name, InputStream in) throws IOException {
    List<String> names = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    Utf8Lines lines = new Utf8Lines(name, in);
    long length = 0;
    for (String line = lines.next(); line != null; line = lines.next()) {
      int tab = line.indexOf('\t');
      if (tab <= 0 || line.indexOf('\t', tab + 1) >= 0 || line.substring(tab).isBlank()) {
        throw new DataException(
            String.format(
                Locale.ROOT,
                "line %d of %s is not a label, a tab and a text: %.40s",
                lines.number(),
                name,
                line));
      }
      length += line.length();
      if (length > MOST_LETTERS || lines.number() > MOST_TEXTS) {
        throw new DataException(
            String.format(
                Locale.ROOT,
                "%s has more than %,d letters or %,d lines (expected no more)",
                name,
                MOST_LETTERS,
                MOST_TEXTS));
      }
      names.add(line.substring(0, tab));
      texts.add(line.substring(tab + 1));
    }
    List<String> classes = List.copyOf(new TreeSet<>(names));
    Map<String, Integer> places = new HashMap<>();
    classes.forEach(c -> places.put(c, places.size()));
    List<Integer> labels = names.stream().map(places::get).toList();
    LabelledTexts all = new LabelledTexts(classes, texts, labels);
    List<List<Integer>> byClass = all.byClass();
    for (int c = 0; c < classes.size(); c++) {
      if (byClass.get(c).size() < 2) {
        throw new DataException(
            name + " has a single text of class " + classes.get(c) + " (expected two or more)");
      }
    }
    if (classes.size() < 2) {
      throw new DataException(name + " has " + classes.size() + " classes (expected two or more)");
    }
    return all;
  }

  /** The places of the texts of each class. */
  public List<List<Integer>> byClass() {
    List<List<Integer>> byClass = new ArrayList<>();
    classes.forEach(_ -> byClass.add(new ArrayList<>()));
    for (int i = 0; i < labels.size(); i++) {
      byClass.get(labels.get(i)).add(i);
    }
    return byClass;
  }

  /** A short text that differs where texts, labels, classes or their order do. */
  public String fingerprint() {
    MessageDigest digest = Sha256.begin();
    for (List<String> part :
        List.of(classes, texts, labels.stream().map(String::valueOf).toList())) {
      for (String text : part) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) '\n'); // which none of them holds
      }
      digest.update((byte) '\t');
    }
    return count() + " texts with " + Sha256.end(digest);
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
    List<List<Integer>> byClass = byClass();
    for (int c = 0; c < classes.size(); c++) {
      int[] of = byClass.get(c).stream().mapToInt(i -> i).toArray();
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
