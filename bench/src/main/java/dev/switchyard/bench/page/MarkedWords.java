package dev.switchyard.bench.page;

import java.util.List;
import java.util.Locale;

/**
 * Texts whose words lie on a ground that is the darker the more each counts.
 *
 * @param title what they show
 * @param least what an unmarked word means
 * @param most what a word on the darkest ground means
 * @param texts the words of each text
 */
public record MarkedWords(String title, String least, String most, List<List<Word>> texts)
    implements Figure {
  private static final int SHADES = 6;

  /** Copies the lists. */
  public MarkedWords {
    texts = texts.stream().map(List::copyOf).toList();
  }

  /**
   * A word, or what is left of one.
   *
   * @param text what to show
   * @param share how much it counts, from 0 to 1
   * @param joined whether it goes on with the word before
   */
  public record Word(String text, double share, boolean joined) {}

  @Override
  public List<String> names() {
    return List.of();
  }

  @Override
  public String body() {
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "<p class=\"words soft\">%s <span class=\"w0\">&#160;&#160;</span>",
            Page.escape(least)));
    for (int shade = 1; shade < SHADES; shade++) {
      out.append(String.format(Locale.ROOT, "<span class=\"w%d\">&#160;&#160;</span>", shade));
    }
    out.append(' ').append(Page.escape(most)).append("</p>\n");
    for (List<Word> text : texts) {
      out.append("<p class=\"words\">");
      for (Word word : text) {
        out.append(word.joined() ? "" : " ");
        out.append(
            String.format(
                Locale.ROOT,
                "<span class=\"w%d\">%s</span>",
                Math.round(word.share() * (SHADES - 1)),
                Page.escape(word.text())));
      }
      out.append("</p>\n");
    }
    return out.toString();
  }
}
