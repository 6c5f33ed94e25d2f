package dev.switchyard.bench.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;

/**
 * Horizontal bars from zero with error bars, in groups, as SVG to be put into a page. Colours are
 * the classes that the page's style defines.
 */
public final class BarChart implements Figure {
  /** Narrower than a {@link LineChart}, so that labels stay legible on a phone. */
  private static final int WIDTH = 480;

  private static final int LEFT = 4;

  /** Leaves room for a value behind the longest bar. */
  private static final int RIGHT = 410;

  private static final int BAR = 14;
  private static final int PITCH = 18;
  private static final int HEADING = 26;
  private static final int BOTTOM = 12;

  /**
   * A bar.
   *
   * @param name one of {@link #names()}, for its colour
   * @param value its length
   * @param lower where the error bar begins
   * @param upper where it ends
   */
  public record Bar(String name, double value, double lower, double upper) {
    private boolean isDrawn() {
      return Double.isFinite(value) && Double.isFinite(upper) && lower >= 0;
    }
  }

  private record Group(String name, List<Bar> bars) {}

  private final String title;
  private final DoubleFunction<String> format;
  private final List<String> names;
  private final List<Group> groups = new ArrayList<>();
  private OptionalDouble mark = OptionalDouble.empty();

  /**
   * A chart without bars.
   *
   * @param format how values are written
   * @param names whose bars there are, in the order of their colours
   */
  public BarChart(String title, DoubleFunction<String> format, List<String> names) {
    this.title = title;
    this.format = format;
    this.names = List.copyOf(names);
  }

  /**
   * Adds bars under a heading; those that are not finite are left out.
   *
   * @throws IllegalArgumentException if a bar's name is none of the chart's
   */
  public BarChart group(String name, List<Bar> bars) {
    for (Bar bar : bars) {
      if (!names.contains(bar.name())) {
        throw new IllegalArgumentException(
            "a bar is named " + bar.name() + " (expected one of " + names + ")");
      }
    }
    groups.add(new Group(name, bars.stream().filter(Bar::isDrawn).toList()));
    return this;
  }

  /** Draws a line through all groups, such as at what others are compared with. */
  public BarChart mark(double at) {
    mark = OptionalDouble.of(at);
    return this;
  }

  @Override
  public String title() {
    return title;
  }

  @Override
  public List<String> names() {
    return names;
  }

  @Override
  public String body() {
    int height =
        BOTTOM + groups.stream().mapToInt(group -> HEADING + PITCH * group.bars().size()).sum();
    double most =
        groups.stream()
            .flatMap(group -> group.bars().stream())
            .mapToDouble(Bar::upper)
            .reduce(mark.orElse(0), Math::max);
    double scale = (RIGHT - LEFT) / (most > 0 ? most : 1);
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "<svg class=\"bars\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">%n",
            WIDTH,
            height,
            Page.escape(title)));
    int y = 0;
    for (Group group : groups) {
      out.append(
          String.format(
              Locale.ROOT,
              "<text x=\"%d\" y=\"%d\">%s</text>%n",
              LEFT,
              y + HEADING - 6,
              Page.escape(group.name())));
      y += HEADING;
      for (Bar bar : group.bars()) {
        append(out, bar, y, scale);
        y += PITCH;
      }
    }
    mark.ifPresent(at -> out.append(line("mark", LEFT + at * scale, 0, LEFT + at * scale, height)));
    return out.append("</svg>\n").toString();
  }

  private void append(StringBuilder out, Bar bar, int y, double scale) {
    double middle = y + BAR / 2.0;
    out.append(
        String.format(
            Locale.ROOT,
            "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\">"
                + "<title>%s: %s, %s to %s</title></rect>%n",
            Page.color("f", names.indexOf(bar.name())),
            LEFT,
            y,
            bar.value() * scale,
            BAR,
            Page.escape(bar.name()),
            Page.escape(format.apply(bar.value())),
            Page.escape(format.apply(bar.lower())),
            Page.escape(format.apply(bar.upper()))));
    double from = LEFT + bar.lower() * scale;
    double to = LEFT + bar.upper() * scale;
    out.append(line("error", from, middle, to, middle));
    out.append(line("error", from, middle - 3, from, middle + 3));
    out.append(line("error", to, middle - 3, to, middle + 3));
    out.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%.1f\" y=\"%d\">%s</text>%n",
            Math.max(to, LEFT + bar.value() * scale) + 6,
            y + BAR - 2,
            Page.escape(format.apply(bar.value()))));
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
}
