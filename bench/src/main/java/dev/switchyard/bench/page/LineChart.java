package dev.switchyard.bench.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;

/**
 * Lines over two axes, as SVG to be put into a page. Colours are classes ({@code s0}, {@code s1},
 * ...) that the page's style defines for light and dark, which a chart library that writes colours
 * into the picture cannot offer; for the same reason the names of lines stand in the page.
 */
public final class LineChart implements Figure {
  private static final int WIDTH = 600;
  private static final int HEIGHT = 330;
  private static final int LEFT = 66;
  private static final int RIGHT = 584;
  private static final int TOP = 12;
  private static final int BOTTOM = 280;
  private static final int TICKS = 6;
  private static final int HEADING = 36;
  private static final int PITCH = 22;

  private static final double NARROWEST = 2;
  private static final double STEP = 2;
  private static final double WIDEST = 9;

  /** More points make the page larger but the picture no finer. */
  private static final int MOST_POINTS = 500;

  /**
   * A line, or points.
   *
   * @param name what it shows
   * @param x ascending where it is a line
   * @param y as many; what is not finite leaves a gap
   * @param joined whether it is a line
   * @param color its number among those that have a name
   * @param faint whether it is only the ground of another, which has the name
   */
  private record Line(
      String name, double[] x, double[] y, boolean joined, int color, boolean faint) {}

  private final String title;
  private final String xTitle;
  private final String yTitle;
  private final Axis x = new Axis();
  private final Axis y = new Axis();
  private final List<Line> lines = new ArrayList<>();
  private final List<Double> marks = new ArrayList<>();
  private final List<Double> levels = new ArrayList<>();
  private boolean nested;

  /** A chart without lines. */
  public LineChart(String title, String xTitle, String yTitle) {
    this.title = title;
    this.xTitle = xTitle;
    this.yTitle = yTitle;
  }

  /** Makes both axes logarithmic, or one of them. */
  public LineChart logarithmic(boolean ofX, boolean ofY) {
    x.logarithmic = ofX;
    y.logarithmic = ofY;
    return this;
  }

  /** Cuts off what lies above, such as the losses of a training that diverged. */
  public LineChart yUpTo(double highest) {
    y.limit = highest;
    return this;
  }

  /** Adds a line. */
  public LineChart line(String name, double[] xs, double[] ys) {
    return add(new Line(name, xs.clone(), ys.clone(), xs.length > 1, names().size(), false));
  }

  private LineChart add(Line line) {
    lines.add(line);
    x.include(line.x());
    y.include(line.y());
    return this;
  }

  /** Adds a faint line without a name, in the colour of the line that is the {@code of}-th. */
  public LineChart ground(int of, double[] xs, double[] ys) {
    return add(new Line("", xs.clone(), ys.clone(), xs.length > 1, of, true));
  }

  /** Draws lines from wide to narrow: those that coincide are seen one inside the other. */
  public LineChart nested() {
    nested = true;
    return this;
  }

  /** Adds a line over 1, 2, 3, ... */
  public LineChart line(String name, double[] ys) {
    return line(name, DoubleStream.iterate(1, i -> i + 1).limit(ys.length).toArray(), ys);
  }

  /** Adds a single point. */
  public LineChart point(String name, double atX, double atY) {
    return line(name, new double[] {atX}, new double[] {atY});
  }

  /** Adds points that no line joins. */
  public LineChart points(String name, double[] xs, double[] ys) {
    return add(new Line(name, xs.clone(), ys.clone(), false, names().size(), false));
  }

  /** Adds a horizontal mark, which the axis always reaches. */
  public LineChart level(double at) {
    levels.add(at);
    y.include(new double[] {at});
    return this;
  }

  /** Adds a vertical mark. */
  public LineChart mark(double at) {
    marks.add(at);
    return this;
  }

  @Override
  public String title() {
    return title;
  }

  /** The names of the lines, in the order of their classes. */
  @Override
  public List<String> names() {
    return lines.stream().filter(line -> !line.faint()).map(Line::name).toList();
  }

  @Override
  public String body() {
    return String.format(
            Locale.ROOT,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">%n",
            WIDTH,
            HEIGHT,
            Page.escape(title))
        + drawing()
        + "</svg>\n";
  }

  /** The same lines; none where one has two points above each other, which a script would join. */
  @Override
  public Map<String, Object> series() {
    List<Map<String, Object>> named = new ArrayList<>();
    for (Line line : lines) {
      if (line.faint()) {
        continue;
      }
      List<Double> xs = new ArrayList<>();
      List<Double> ys = new ArrayList<>();
      int stride = Math.max(1, Math.ceilDiv(line.x().length, MOST_POINTS));
      for (int i = 0; i < line.x().length; i += stride) {
        if (x.shows(line.x()[i])) {
          xs.add(line.x()[i]);
          ys.add(y.shows(line.y()[i]) ? line.y()[i] : null);
        }
      }
      for (int i = 1; i < xs.size(); i++) {
        if (xs.get(i) <= xs.get(i - 1)) {
          return Map.of();
        }
      }
      named.add(
          Map.of(
              "name",
              line.name(),
              "color",
              line.color(),
              "joined",
              line.joined(),
              "x",
              xs,
              "y",
              ys));
    }
    return Map.of(
        "x", xTitle,
        "y", yTitle,
        "logX", x.logarithmic,
        "logY", y.logarithmic,
        "range", List.of(y.from(), y.to()),
        "marks", marks,
        "levels", levels,
        "series", named);
  }

  /** The picture as a file of its own, with title and legend; equal charts give equal text. */
  public String picture() {
    List<String> names = names();
    int height = HEADING + HEIGHT + PITCH * names.size() + 8;
    StringBuilder out = new StringBuilder();
    out.append("<svg xmlns=\"http://www.w3.org/2000/svg\" font-family=\"system-ui, sans-serif\"");
    out.append(String.format(Locale.ROOT, " viewBox=\"0 0 %d %d\">%n", WIDTH, height));
    out.append("<style>\n").append(Page.pictureStyle()).append("</style>\n");
    out.append("<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
    out.append(text("middle", WIDTH / 2.0, HEADING - 12.0, Page.escape(title)));
    out.append("<g transform=\"translate(0 ").append(HEADING).append(")\">\n");
    out.append(drawing()).append("</g>\n");
    for (int i = 0; i < names.size(); i++) {
      double at = HEADING + HEIGHT + PITCH * (i + 0.5);
      out.append(line("line " + Page.color("s", i), LEFT, at, LEFT + 28.0, at));
      out.append(text("start", LEFT + 40.0, at + 5, Page.escape(names.get(i))));
    }
    return out.append("</svg>\n").toString();
  }

  private String drawing() {
    StringBuilder out = new StringBuilder();
    for (double tick : y.ticks()) {
      double at = vertical(tick);
      out.append(line("grid", LEFT, at, RIGHT, at));
      out.append(text("end", LEFT - 8.0, at + 5, label(tick)));
    }
    for (double tick : x.ticks()) {
      double at = horizontal(tick);
      out.append(line("tick", at, BOTTOM, at, BOTTOM + 5.0));
      out.append(text("middle", at, BOTTOM + 22.0, label(tick)));
    }
    out.append(line("axis", LEFT, BOTTOM, RIGHT, BOTTOM));
    for (double mark : marks) {
      out.append(line("mark", horizontal(mark), TOP, horizontal(mark), BOTTOM));
    }
    for (double level : levels) {
      out.append(line("mark", LEFT, vertical(level), RIGHT, vertical(level)));
    }
    for (int i = 0; i < lines.size(); i++) {
      out.append(path(lines.get(i)));
    }
    out.append(text("middle", (LEFT + RIGHT) / 2.0, HEIGHT - 8.0, Page.escape(xTitle)));
    out.append(
        String.format(
            Locale.ROOT,
            "<text class=\"middle\" transform=\"translate(16 %d) rotate(-90)\">%s</text>%n",
            (TOP + BOTTOM) / 2,
            Page.escape(yTitle)));
    return out.toString();
  }

  private String path(Line line) {
    StringBuilder d = new StringBuilder();
    if (!line.joined()) { // lines of no length with round ends
      for (int i = 0; i < line.x().length; i++) {
        if (shows(line, i)) {
          d.append(
              String.format(
                  Locale.ROOT, "M%.1f %.1fh0", horizontal(line.x()[i]), vertical(line.y()[i])));
        }
      }
      String kind = line.x().length == 1 ? "point" : "dots";
      return String.format(
          Locale.ROOT,
          "<path class=\"%s %s\" d=\"%s\"/>%n",
          kind,
          Page.color("s", line.color()),
          d);
    }
    int stride = Math.max(1, Math.ceilDiv(line.x().length, MOST_POINTS));
    boolean down = false;
    for (int i = 0; i < line.x().length; i += stride) {
      boolean visible = shows(line, i);
      if (visible) {
        d.append(
            String.format(
                Locale.ROOT,
                "%s%.1f %.1f",
                down ? "L" : "M",
                horizontal(line.x()[i]),
                vertical(line.y()[i])));
      }
      down = visible;
    }
    return String.format(
        Locale.ROOT,
        "<path class=\"line %s\"%s d=\"%s\"/>%n",
        Page.color("s", line.color()),
        line.faint() ? " style=\"opacity:.25;stroke-width:1\"" : width(line.color()),
        d);
  }

  private String width(int color) {
    int named = names().size();
    return nested && named > 1
        ? String.format(
            Locale.ROOT,
            " style=\"stroke-width:%.1f\"",
            NARROWEST + Math.min(STEP, (WIDEST - NARROWEST) / named) * (named - 1 - color))
        : "";
  }

  private boolean shows(Line line, int i) {
    return y.shows(line.y()[i]) && x.shows(line.x()[i]);
  }

  private double horizontal(double value) {
    return LEFT + x.position(value) * (RIGHT - LEFT);
  }

  private double vertical(double value) {
    return BOTTOM - y.position(value) * (BOTTOM - TOP);
  }

  private static String line(String kind, double x1, double y1, double x2, double y2) {
    return String.format(
        Locale.ROOT,
        "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>%n",
        kind,
        x1,
        y1,
        x2,
        y2);
  }

  private static String text(String anchor, double x, double y, String escaped) {
    return String.format(
        Locale.ROOT, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>%n", anchor, x, y, escaped);
  }

  /** {@code 0.05}, {@code 12}, {@code 65536}, {@code 1e-6}. */
  private static String label(double value) {
    double magnitude = Math.abs(value);
    if (magnitude != 0 && (magnitude < 1e-3 || magnitude >= 1e6)) {
      return String.format(Locale.ROOT, "%.0e", value).replace("e-0", "e-").replace("e+0", "e");
    }
    String text = String.format(Locale.ROOT, "%.4f", value);
    return text.replaceAll("0+$", "").replaceAll("\\.$", "");
  }

  /** From the values of one axis to the part of its length. */
  private static final class Axis {
    private boolean logarithmic;
    private double limit = Double.POSITIVE_INFINITY;
    private double least = Double.POSITIVE_INFINITY;
    private double most = Double.NEGATIVE_INFINITY;

    void include(double[] values) {
      for (double value : values) {
        if (Double.isFinite(value) && !(logarithmic && value <= 0)) {
          least = Math.min(least, value);
          most = Math.max(most, value);
        }
      }
    }

    boolean shows(double value) {
      return Double.isFinite(value) && !(logarithmic && value <= 0) && value <= limit;
    }

    private double from() {
      return least > most ? 0 : logarithmic ? least : least > 0 && least < 0.5 * to() ? 0 : least;
    }

    private double to() {
      double to = least > most ? 1 : Math.min(most, limit);
      return to > least || logarithmic ? to : least + 1;
    }

    double position(double value) {
      return scale(to()) == scale(from())
          ? 0.5
          : (scale(value) - scale(from())) / (scale(to()) - scale(from()));
    }

    private double scale(double value) {
      return logarithmic ? Math.log10(value) : value;
    }

    /** Round numbers; of powers only where there are several. */
    List<Double> ticks() {
      List<Double> powers = logarithmic ? powers() : List.of();
      return powers.size() > 1 ? powers : to() > from() ? steps() : List.of(from());
    }

    /** Powers of ten, with 2 and 5 times as many where these are few. */
    private List<Double> powers() {
      List<Double> ticks = new ArrayList<>();
      double[] multiples =
          scale(to()) - scale(from()) < 2 ? new double[] {1, 2, 5} : new double[] {1};
      double decade = Math.pow(10, Math.floor(scale(from())));
      for (; decade <= to(); decade *= 10) {
        for (double multiple : multiples) {
          double tick = decade * multiple;
          if (tick >= from() * (1 - 1e-9) && tick <= to() * (1 + 1e-9)) {
            ticks.add(tick);
          }
        }
      }
      return ticks;
    }

    private List<Double> steps() {
      List<Double> ticks = new ArrayList<>();
      double step = Math.pow(10, Math.floor(Math.log10((to() - from()) / TICKS)));
      while ((to() - from()) / step > TICKS) {
        step *= (to() - from()) / step > 2.5 * TICKS ? 5 : 2;
      }
      for (double i = Math.ceil(from() / step - 1e-9); i * step <= to() + 1e-9 * step; i++) {
        ticks.add(i * step + 0.0); // never -0
      }
      return ticks;
    }
  }
}
