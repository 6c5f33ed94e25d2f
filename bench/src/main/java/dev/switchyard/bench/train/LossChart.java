package dev.switchyard.bench.train;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Dimension;
import java.awt.Font;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.batik.dom.GenericDOMImplementation;
import org.apache.batik.svggen.SVGGraphics2D;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** The loss curves of some trainings as an SVG picture: smoothed, with the raw losses behind. */
final class LossChart {
  private static final int WIDTH = 960;
  private static final int HEIGHT = 560;

  /**
   * Okabe and Ito's colours, which people who see fewer colours can tell apart too, and then as
   * many more as there are precisions and kinds of PyTorch.
   */
  private static final List<Color> COLORS =
      List.of(
          new Color(0x0072B2),
          new Color(0xD55E00),
          new Color(0x009E73),
          new Color(0xCC79A7),
          new Color(0xE69F00),
          new Color(0x56B4E9),
          new Color(0x6A3D9A),
          new Color(0x7F7F7F),
          new Color(0x8C564B),
          new Color(0x111111),
          new Color(0x999933),
          new Color(0x882255),
          new Color(0x44AA99));

  private static final Color INK = new Color(0x222222);
  private static final Color GRID = new Color(0xE4E4E4);

  private static final float NARROWEST = 2;
  private static final float STEP = 3;
  private static final float WIDEST = 12;

  private static final Font TITLE_FONT = new Font(Font.SANS_SERIF, Font.BOLD, 18);
  private static final Font LABEL_FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 15);
  private static final Font TICK_FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 13);

  private final Report report;

  LossChart(Report report) {
    this.report = report;
  }

  /**
   * Whether Java finds a font on this machine. A bare server has none, and Java says so with an
   * error that differs from release to release.
   */
  static boolean canBeLabelled() {
    try {
      return !TICK_FONT.getFamily(Locale.ROOT).isEmpty();
    } catch (RuntimeException | LinkageError | InternalError e) {
      return false;
    }
  }

  /** The picture; equal reports give equal text. */
  String svg() {
    Document document =
        GenericDOMImplementation.getDOMImplementation()
            .createDocument("http://www.w3.org/2000/svg", "svg", null);
    SVGGraphics2D graphics = new SVGGraphics2D(document);
    graphics.setSVGCanvasSize(new Dimension(WIDTH, HEIGHT));
    chart().paint(graphics, WIDTH, HEIGHT);
    Element root = graphics.getRoot();
    // With a view box the picture fills whatever frame a page gives it.
    root.setAttributeNS(null, "viewBox", String.format(Locale.ROOT, "0 0 %d %d", WIDTH, HEIGHT));
    StringWriter text = new StringWriter();
    try {
      graphics.stream(root, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  private XYChart chart() {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title("Training loss")
            .xAxisTitle("step")
            .yAxisTitle("loss")
            .build();
    List<TimedTraining> runs = report.runs();
    style(
        chart.getStyler(),
        runs.stream().mapToInt(run -> run.result().losses().size()).max().orElse(0));
    // All raw curves first: what is added later is drawn over it.
    for (int i = 0; i < runs.size(); i++) {
      double[] losses = LossCurve.finitePart(runs.get(i).result().losses());
      addSeries(chart, runs.get(i).precision() + " raw", losses, light(color(i)), 1)
          .setShowInLegend(false);
    }
    for (int i = 0; i < runs.size(); i++) {
      double[] losses = LossCurve.smooth(LossCurve.finitePart(runs.get(i).result().losses()));
      addSeries(chart, label(runs.get(i)), losses, color(i), width(i, runs.size()));
    }
    return chart;
  }

  private static XYSeries addSeries(
      XYChart chart, String name, double[] losses, Color color, float width) {
    int[] steps = LossCurve.steps(losses.length);
    double[] x = Arrays.stream(steps).mapToDouble(step -> step + 1).toArray();
    double[] y = Arrays.stream(steps).mapToDouble(step -> losses[step]).toArray();
    XYSeries series = chart.addSeries(name, x, y);
    series.setMarker(SeriesMarkers.NONE);
    series.setLineColor(color);
    series.setLineStyle(new BasicStroke(width, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    return series;
  }

  private static void style(XYStyler styler, int steps) {
    styler.setLocale(Locale.ROOT);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setChartFontColor(INK);
    styler.setChartPadding(16);
    styler.setChartTitleBoxVisible(false);
    styler.setChartTitleFont(TITLE_FONT);
    styler.setPlotBorderVisible(false);
    styler.setPlotGridLinesColor(GRID);
    styler.setPlotGridLinesStroke(new BasicStroke(1));
    styler.setPlotGridVerticalLinesVisible(false);
    styler.setAxisTitleFont(LABEL_FONT);
    styler.setAxisTickLabelsFont(TICK_FONT);
    styler.setAxisTickLabelsColor(INK);
    styler.setXAxisTickMarkSpacingHint(100);
    // Half a step more than there are: were the steps to divide the axis evenly, XChart would label
    // as many of them as fit instead of a few round ones.
    styler.setXAxisMax(steps + 0.5);
    styler.setPlotContentSize(0.97);
    styler.setXAxisMin(0.0);
    styler.setYAxisMin(0.0);
    styler.setXAxisDecimalPattern("#,##0");
    styler.setYAxisDecimalPattern("0.0#");
    styler.setLegendPosition(LegendPosition.InsideNE);
    styler.setLegendFont(LABEL_FONT);
    styler.setLegendBorderColor(Color.WHITE);
    styler.setLegendBackgroundColor(Color.WHITE);
    styler.setLegendPadding(10);
    styler.setLegendSeriesLineLength(28);
  }

  private static String label(TimedTraining run) {
    return String.format(
        Locale.ROOT,
        "%s (test accuracy %.2f %%)",
        run.precision(),
        100 * run.result().testAccuracy());
  }

  /**
   * From wide to narrow: curves that coincide, as they should, are then seen one inside the other.
   */
  private static float width(int run, int runs) {
    return NARROWEST + Math.min(STEP, (WIDEST - NARROWEST) / runs) * (runs - 1 - run);
  }

  private static Color color(int run) {
    return COLORS.get(run % COLORS.size());
  }

  /** Three parts of white to one of the colour: opaque, so that every viewer draws it alike. */
  private static Color light(Color color) {
    return new Color(
        (3 * 255 + color.getRed()) / 4,
        (3 * 255 + color.getGreen()) / 4,
        (3 * 255 + color.getBlue()) / 4);
  }
}
