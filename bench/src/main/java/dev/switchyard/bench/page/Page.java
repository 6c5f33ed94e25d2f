package dev.switchyard.bench.page;

import dev.switchyard.bench.command.Json;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.Findings.Verdict;
import java.util.List;
import java.util.Map;

/**
 * Findings as one HTML page that needs no other file. For screens light and dark, narrow and wide,
 * and for paper. Well-formed XML too. Its pictures are whole without a script; with one, lines tell
 * their values and can be switched off.
 */
public final class Page {
  private static final String PALETTE =
      """
      :root { color-scheme: light dark; --ink: #222; --paper: #fff; --faint: #e4e4e4; --soft: #666;
        --yes: #00704a; --no: #a34700;
        --s0: #0072b2; --s1: #d55e00; --s2: #009e73; --s3: #cc79a7; --s4: #b8860b; --s5: #56b4e9;
        --s6: #6a3d9a; --s7: #7f7f7f; --s8: #8c564b; --s9: #111; }
      @media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #16181b;
        --faint: #33373d; --soft: #a0a5ab; --yes: #4fd1a1; --no: #ffa366;
        --s0: #58b4f0; --s1: #ff8c42; --s2: #3ed6a6; --s3: #eba3cb; --s4: #f0c040; --s5: #d7ef7a;
        --s6: #b79cf0; --s7: #a8a8a8; --s8: #d19a8c; --s9: #fff; } }
      """;

  private static final String DRAWING =
      """
      svg text { font-size: 14px; fill: var(--soft); } .paper { fill: var(--paper); }
      .middle { text-anchor: middle; } .end { text-anchor: end; }
      .grid { stroke: var(--faint); } .axis, .tick { stroke: var(--soft); }
      .mark { stroke: var(--soft); stroke-dasharray: 3 4; }
      .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
      .point { fill: none; stroke-width: 12; stroke-linecap: round; }
      .dots { fill: none; stroke-width: 8; stroke-linecap: round; }
      .line.again { stroke-dasharray: 7 4; } .again { opacity: .75; }
      """;

  private static final String STYLE =
      """
      body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
        margin: 0 auto; padding: 1rem; max-width: 52rem; print-color-adjust: exact; }
      h1 { line-height: 1.2; } h2 { margin-top: 2.2rem; }
      .verdict { border-left: 4px solid var(--soft); padding: .2rem 0 .2rem .8rem; margin: 1rem 0; }
      .verdict strong { display: block; } .yes strong { color: var(--yes); }
      .no strong { color: var(--no); } .open strong { color: var(--soft); }
      .yes { border-color: var(--yes); } .no { border-color: var(--no); }
      .soft, figcaption { color: var(--soft); }
      figure { margin: 1.2rem 0; break-inside: avoid; } svg { width: 100%; height: auto; }
      svg.bars { max-width: 40rem; }
      ul.legend .again { mask: linear-gradient(90deg, #000 40%, #0000 40% 60%, #000 60%); }
      .error { stroke: var(--ink); stroke-width: 1.5; }
      .words { line-height: 1.7; overflow-wrap: anywhere; } .words span { border-radius: .2em; }
      ul.legend { list-style: none; padding: 0; margin: .3rem 0; display: flex; flex-wrap: wrap;
        gap: .1rem 1.2rem; font-size: .9rem; }
      ul.legend span { display: inline-block; width: 1.6em; height: .25em; margin-right: .5em;
        vertical-align: middle; }
      @media screen { figure.live > svg, figure.live > ul.legend { display: none; } }
      .wide { overflow-x: auto; width: max-content;
        max-width: max(100%, min(50vw + 24rem, 80rem, 100vw - 2rem)); }
      table { border-collapse: collapse; font-size: .9rem; }
      th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--faint);
        white-space: nowrap; }
      th { white-space: normal; vertical-align: bottom; }
      th:first-child, td:first-child { text-align: left; }
      dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
      dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
      .uplot { font: inherit; } .u-legend { font-size: .9rem; text-align: left; }
      .u-legend th, .u-legend td { border: 0; padding: .1rem .3rem; white-space: normal; }
      @media print { .uplot { display: none; } body { max-width: none; } table { font-size: .7rem; }
        th, td { padding: .15rem .35rem; } .wide { overflow-x: visible; width: auto; } }
      """;

  private static final int COLORS = 10;
  private static final int SHADES = 6;

  private Page() {}

  /**
   * The page.
   *
   * @param facts what it was measured with, in the order to show
   */
  public static String of(Findings findings, Map<String, String> facts) {
    StringBuilder out = new StringBuilder();
    out.append("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n");
    out.append("<head>\n<meta charset=\"utf-8\"/>\n");
    out.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    out.append("<title>").append(escape(findings.title())).append("</title>\n");
    out.append("<style>\n").append(PALETTE).append(DRAWING).append(STYLE).append(colors());
    boolean live =
        ChartLibrary.isPresent()
            && findings.sections().stream()
                .flatMap(section -> section.figures().stream())
                .anyMatch(figure -> !figure.series().isEmpty());
    if (live) {
      out.append(ChartLibrary.style()).append('\n');
    }
    out.append("</style>\n</head>\n<body>\n");
    out.append("<h1>").append(escape(findings.title())).append("</h1>\n");
    paragraph(out, findings.question());
    findings.verdicts().forEach(verdict -> verdict(out, verdict));
    findings.sections().forEach(section -> section(out, section));
    out.append("<h2>Measured with</h2>\n");
    out.append("<dl>\n");
    facts.forEach(
        (name, value) -> {
          out.append("<dt>").append(escape(name)).append("</dt>");
          out.append("<dd>").append(escape(value)).append("</dd>\n");
        });
    out.append("</dl>\n");
    if (live) {
      out.append(ChartLibrary.script());
    }
    return out.append("</body>\n</html>\n").toString();
  }

  /** What a picture needs that stands alone. */
  static String pictureStyle() {
    return PALETTE + DRAWING + colors();
  }

  /** The class of a series for lines ({@code s}) or areas ({@code f}), whatever its number. */
  static String color(String kind, int series) {
    return kind + series % COLORS + (series < COLORS ? "" : " again");
  }

  private static String colors() {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < COLORS; i++) {
      out.append(".s").append(i).append(" { stroke: var(--s").append(i).append("); }\n");
      out.append("span.s").append(i).append(" { background: var(--s").append(i).append("); }\n");
      out.append(".f").append(i).append(" { fill: var(--s").append(i).append("); }\n");
    }
    for (int shade = 0; shade < SHADES; shade++) {
      out.append(".w").append(shade).append(" { background: color-mix(in srgb, var(--s1) ");
      out.append(14 * shade).append("%, transparent); }\n");
    }
    return out.toString();
  }

  private static void verdict(StringBuilder out, Verdict verdict) {
    String kind =
        switch (verdict.answer()) {
          case SHOWS -> "yes";
          case DOES_NOT_SHOW -> "no";
          case CANNOT_TELL -> "open";
        };
    out.append("<div class=\"verdict ").append(kind).append("\">");
    out.append("<strong>").append(verdict.answer().heading()).append(' ');
    out.append(escape(verdict.claim())).append("</strong>");
    out.append(escape(verdict.criterion())).append("</div>\n");
  }

  private static void section(StringBuilder out, Section section) {
    out.append("<h2>").append(escape(section.heading())).append("</h2>\n");
    paragraph(out, section.text());
    section.figures().forEach(figure -> figure(out, figure));
    if (!section.table().rows().isEmpty()) {
      table(out, section.table());
    }
  }

  private static void figure(StringBuilder out, Figure figure) {
    out.append("<figure");
    if (!figure.series().isEmpty()) {
      out.append(" data-chart=\"").append(escape(Json.compact(figure.series()))).append('"');
    }
    out.append(">\n<figcaption>").append(escape(figure.title())).append("</figcaption>\n");
    out.append(figure.body());
    if (!figure.names().isEmpty()) {
      out.append("<ul class=\"legend\">");
      for (int i = 0; i < figure.names().size(); i++) {
        out.append("<li><span class=\"").append(color("s", i)).append("\"></span>");
        out.append(escape(figure.names().get(i))).append("</li>");
      }
      out.append("</ul>\n");
    }
    out.append("</figure>\n");
  }

  private static void table(StringBuilder out, Table table) {
    out.append("<div class=\"wide\"><table>\n<tr>");
    table.header().forEach(cell -> out.append("<th>").append(escape(cell)).append("</th>"));
    out.append("</tr>\n");
    for (List<String> row : table.rows()) {
      out.append("<tr>");
      row.forEach(cell -> out.append("<td>").append(escape(cell)).append("</td>"));
      out.append("</tr>\n");
    }
    out.append("</table></div>\n");
  }

  private static void paragraph(StringBuilder out, String text) {
    out.append("<p>").append(escape(text)).append("</p>\n");
  }

  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
