package dev.switchyard.bench.command;

import java.util.ArrayList;
import java.util.List;

/** Rows of cells for a terminal: the first column is aligned left, the others right. */
public final class TextTable {
  private static final String GAP = "  ";

  private final List<String[]> rows = new ArrayList<>();

  /** A table that begins with a row of headings. */
  public TextTable(String... headings) {
    row(headings);
  }

  /** Adds a row of as many cells as there are headings. */
  public void row(String... cells) {
    rows.add(cells.clone());
  }

  /** The table, each line ended by a line feed. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (String[] row : rows) {
      for (int col = 0; col < row.length; col++) {
        String padding = " ".repeat(width(col) - row[col].length());
        text.append(col == 0 ? row[col] + padding : GAP + padding + row[col]);
      }
      text.append('\n');
    }
    return text.toString();
  }

  private int width(int col) {
    return rows.stream().mapToInt(row -> row[col].length()).max().orElse(0);
  }
}
