package dev.switchyard.bench.page;

import dev.switchyard.bench.statistics.Answer;
import java.util.List;

/**
 * What came out of an experiment, for a {@link Page}.
 *
 * @param title of the page
 * @param question what was asked, with what others have found
 * @param verdicts whether it shows here
 * @param sections the evidence
 * @param csv all numbers, the header first
 */
public record Findings(
    String title,
    String question,
    List<Verdict> verdicts,
    List<Section> sections,
    List<String> csv) {
  /** Copies the lists. */
  public Findings {
    verdicts = List.copyOf(verdicts);
    sections = List.copyOf(sections);
    csv = List.copyOf(csv);
  }

  /**
   * An answer.
   *
   * @param claim what was looked for
   * @param answer whether it was seen
   * @param criterion by which that is decided, with the numbers
   */
  public record Verdict(String claim, Answer answer, String criterion) {}

  /**
   * Part of the evidence.
   *
   * @param heading of the section
   * @param text what to see
   * @param figures pictures
   * @param table numbers; no rows for none
   */
  public record Section(String heading, String text, List<Figure> figures, Table table) {
    /** Copies the list. */
    public Section {
      figures = List.copyOf(figures);
    }
  }

  /**
   * A table.
   *
   * @param header the names of the columns
   * @param rows the cells of each row
   */
  public record Table(List<String> header, List<List<String>> rows) {
    /** No table. */
    public static final Table NONE = new Table(List.of(), List.of());

    /** Copies the lists. */
    public Table {
      header = List.copyOf(header);
      rows = rows.stream().map(List::copyOf).toList();
    }
  }
}
