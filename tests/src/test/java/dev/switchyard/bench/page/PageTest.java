package dev.switchyard.bench.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.Findings.Verdict;
import dev.switchyard.bench.statistics.Answer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

public class PageTest {
  public static Document parse(String page)
      throws IOException, SAXException, ParserConfigurationException {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(page.getBytes(StandardCharsets.UTF_8)));
  }

  private static String page(LineChart chart) {
    Section section =
        new Section(
            "Evidence & more",
            "Some <text>",
            List.of(chart),
            new Table(List.of("a", "b"), List.of(List.of("1", "2"), List.of("x<y", "\"3\""))));
    return Page.of(
        new Findings(
            "A title",
            "A question?",
            List.of(
                new Verdict("yes", Answer.SHOWS, "by 1"),
                new Verdict("no", Answer.DOES_NOT_SHOW, "by 2"),
                new Verdict("perhaps", Answer.CANNOT_TELL, "by 3")),
            List.of(section),
            List.of("a,b")),
        Map.of("machine", "a & b"));
  }

  private static LineChart chart() {
    return new LineChart("Losses", "step", "loss").line("one", new double[] {3, 2, 1});
  }

  @Test
  void isWellFormedAndShowsAll() throws IOException, SAXException, ParserConfigurationException {
    Document page = parse(page(chart()));
    assertThat(page.getElementsByTagName("h1").item(0).getTextContent()).isEqualTo("A title");
    assertThat(page.getDocumentElement().getTextContent())
        .contains(
            "A question?",
            "Shows here: yes",
            "Does not show here: no",
            "Cannot be told from so little: perhaps",
            "Evidence & more",
            "Some <text>",
            "x<y",
            "a & b");
    NodeList paths = page.getElementsByTagName("path");
    assertThat(paths.getLength()).isEqualTo(1);
    assertThat(((Element) paths.item(0)).getAttribute("class")).isEqualTo("line s0");
  }

  @Test
  void needsNothingElseAndFollowsTheColorScheme() {
    String page = page(chart());
    assertThat(
            page.replace("http://www.w3.org/1999/xhtml", "")
                .replace("https://github.com/leeoniya/uPlot", ""))
        .doesNotContain("http", "src=");
    assertThat(page)
        .contains("prefers-color-scheme: dark", "width=device-width", "color-scheme: light dark");
  }

  /** Beside the static picture, which is all there is for paper and without a script. */
  @Test
  void aScriptDrawsTheSameSeries() throws Exception {
    LineChart chart = new LineChart("t", "x", "y").yUpTo(2).mark(3);
    chart.line("a \"quoted\" <name>", new double[] {1, 2, 3}, new double[] {1, Double.NaN, 9});
    chart.point("b", 4, 2);
    Element figure = (Element) parse(page(chart)).getElementsByTagName("figure").item(0);
    JsonNode data = new ObjectMapper().readTree(figure.getAttribute("data-chart"));
    assertThat(data.at("/series/0/name").asText()).isEqualTo("a \"quoted\" <name>");
    assertThat(data.at("/series/0/x")).hasToString("[1.0,2.0,3.0]");
    assertThat(data.at("/series/0/y")).hasToString("[1.0,null,null]");
    assertThat(data.at("/series/1/joined").asBoolean()).isFalse();
    assertThat(data.at("/range")).hasToString("[1.0,2.0]");
    assertThat(data.at("/marks")).hasToString("[3.0]");
    assertThat(figure.getElementsByTagName("svg").getLength()).isEqualTo(1);
    if (ChartLibrary.isPresent()) {
      assertThat(page(chart)).contains("<script>//<![CDATA[\n/*! ", "uPlot.join(");
    }
  }

  @Test
  void theBuildBringsTheScript() {
    assertThat(Path.of("../pom.xml"))
        .content()
        .contains("<uplot.version>" + ChartLibrary.VERSION + "</uplot.version>");
    assertThat(Path.of("../bench/pom.xml")).content().contains("<artifactId>uplot</artifactId>");
  }

  /** Which a script would take for one. */
  @Test
  void pointsAboveEachOtherAreForTheStaticPictureAlone() throws Exception {
    LineChart chart = new LineChart("t", "x", "y");
    chart.points("a", new double[] {1, 1}, new double[] {1, 2});
    Element figure = (Element) parse(page(chart)).getElementsByTagName("figure").item(0);
    assertThat(figure.hasAttribute("data-chart")).isFalse();
  }

  // Charts

  private static String path(LineChart chart)
      throws IOException, SAXException, ParserConfigurationException {
    Element path = (Element) parse(page(chart)).getElementsByTagName("path").item(0);
    return path.getAttribute("d");
  }

  @Test
  void drawsFromTheLowerLeftToTheUpperRight()
      throws IOException, SAXException, ParserConfigurationException {
    LineChart chart = new LineChart("t", "x", "y");
    chart.line("l", new double[] {0, 5, 10}, new double[] {0, 1, 2});
    assertThat(path(chart)).isEqualTo("M66.0 280.0L325.0 146.0L584.0 12.0");
  }

  @Test
  void leavesGapsWhereThereIsNoNumberOrItIsCutOff()
      throws IOException, SAXException, ParserConfigurationException {
    LineChart chart = new LineChart("t", "x", "y").yUpTo(2);
    chart.line("l", new double[] {0, 1, 2, 3, 4}, new double[] {0, Double.NaN, 2, 99, 1});
    assertThat(path(chart)).isEqualTo("M66.0 280.0M325.0 12.0M584.0 146.0");
  }

  @Test
  void logarithmicAxesAreEvenInPowers()
      throws IOException, SAXException, ParserConfigurationException {
    LineChart chart = new LineChart("t", "x", "y").logarithmic(true, true);
    chart.line("l", new double[] {1, 10, 100}, new double[] {1e-4, 1e-2, 1});
    assertThat(path(chart)).isEqualTo("M66.0 280.0L325.0 146.0L584.0 12.0");
    assertThat(chart.body()).contains(">1e-4<", ">0.01<", ">1<", ">0.001<");
  }

  /** A loss that hardly moves, between two round powers. */
  @Test
  void anAxisHasNumbersHoweverShortItIs()
      throws IOException, SAXException, ParserConfigurationException {
    for (double[] values : new double[][] {{2.21, 2.74}, {2.5, 2.5}, {0.9, 1.1}}) {
      for (boolean logarithmic : new boolean[] {false, true}) {
        LineChart chart = new LineChart("t", "x", "y").logarithmic(false, logarithmic);
        chart.line("l", new double[] {1, 2}, values);
        assertThat(chart.body().split("class=\"end\"", -1).length - 1)
            .as(logarithmic + " " + values[0])
            .isGreaterThanOrEqualTo(values[0] < values[1] ? 2 : 1);
      }
    }
  }

  @Test
  void aChartOfNothingIsEmpty() throws IOException, SAXException, ParserConfigurationException {
    LineChart chart = new LineChart("t", "x", "y");
    chart.line("l", new double[] {Double.NaN, Double.NaN});
    assertThat(path(chart)).isEmpty();
  }

  @Test
  void wordsAreShadedByHowMuchTheyCount() throws Exception {
    MarkedWords words =
        new MarkedWords(
            "<title>",
            "little",
            "much",
            List.of(
                List.of(
                    new MarkedWords.Word("a&b", 0, false),
                    new MarkedWords.Word("c", 1, true),
                    new MarkedWords.Word("d", 0.4, false))));
    Findings findings =
        new Findings(
            "t",
            "q",
            List.of(),
            List.of(new Findings.Section("h", "x", List.of(words), Findings.Table.NONE)),
            List.of());
    String page = Page.of(findings, Map.of());
    parse(page);
    assertThat(page)
        .contains(
            " <span class=\"w0\">a&amp;b</span><span class=\"w5\">c</span> <span"
                + " class=\"w2\">d</span>")
        .doesNotContain("class=\"legend\"");
  }

  @Test
  void aSinglePointIsADot() {
    LineChart chart = new LineChart("t", "x", "y").point("a", 1, 2).point("b", 3, 4);
    assertThat(chart.body()).contains("class=\"point s0\"", "class=\"point s1\"", "h0\"/>");
  }

  /** A colour that is defined for lines, bars and legend, whatever the number of a series. */
  @Test
  void everySeriesHasAColour() {
    LineChart lines = new LineChart("t", "x", "y");
    List<String> names = IntStream.range(0, 35).mapToObj(i -> "series " + i).toList();
    BarChart bars = new BarChart("t", Double::toString, names);
    for (String name : names) {
      lines.line(name, new double[] {1, 2});
      bars.group(name, List.of(new BarChart.Bar(name, 1, 1, 1)));
    }
    Section section = new Section("h", "x", List.of(lines, bars), Table.NONE);
    String page = Page.of(new Findings("t", "q", List.of(), List.of(section), List.of()), Map.of());
    Matcher used = Pattern.compile("class=\"(?:line )?([sf]\\d+)( again)?\"").matcher(page);
    int count = 0;
    for (; used.find(); count++) {
      assertThat(page).contains("." + used.group(1) + " { ");
    }
    assertThat(count).isEqualTo(4 * names.size()); // lines, bars, and a legend of each
    assertThat(page).contains("<span class=\"s9\">", "<span class=\"s0 again\">");
  }
}
