package dev.switchyard.bench.page;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * uPlot, as its WebJar has it, and what draws our charts with it; to be written into pages. A page
 * is whole without: then it has the static pictures alone.
 */
final class ChartLibrary {
  /** The one that the build has. */
  static final String VERSION = "1.6.30";

  private static final String UPLOT = "/META-INF/resources/webjars/uplot/" + VERSION + "/dist/";

  private ChartLibrary() {}

  /** Whether its jar is on the class path. */
  static boolean isPresent() {
    return ChartLibrary.class.getResource(UPLOT + "uPlot.iife.min.js") != null;
  }

  static String style() {
    return read(UPLOT + "uPlot.min.css");
  }

  /** In a section that parsers of XML and of HTML both leave as it is. */
  static String script() {
    return "<script>//<![CDATA[\n"
        + read(UPLOT + "uPlot.iife.min.js")
        + "\n"
        + read("charts.js")
        + "//]]></script>\n";
  }

  private static String read(String name) {
    try (InputStream in = ChartLibrary.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
