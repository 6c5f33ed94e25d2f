package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.switchyard.layers.Precision;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

class ResultWriterTest {
  @TempDir private Path folder;

  @Test
  void writesTheFilesItNamesAndNothingElse() throws IOException {
    Path out = folder.resolve("deep/out");

    List<String> names = new ResultWriter(out).write(Sample.report(Sample.FLOAT32));

    assertThat(filesIn(out)).containsExactlyInAnyOrderElementsOf(names);
    assertThat(names).contains("result.json", "curves.csv");
  }

  @Test
  void jsonHoldsTheKeysOfEachRun() throws IOException {
    new ResultWriter(folder).write(Sample.report(Sample.FLOAT32, Sample.SWITCHBACK));
    JsonNode root = json();

    assertThat(root.fieldNames())
        .toIterable()
        .containsExactly("runs", "timing", "machine", "jdk", "backend", "seed", "options");
    assertThat(root.get("runs")).hasSize(2);
    for (JsonNode run : root.get("runs")) {
      assertThat(run.fieldNames())
          .toIterable()
          .containsExactly(
              "precision",
              "testAccuracy",
              "testAccuracyMinusFirst",
              "finalLoss",
              "stepMillis",
              "partsMillis",
              "imagesPerSecond",
              "speedOverFirst");
    }
    JsonNode second = root.get("runs").get(1);
    assertThat(second.get("precision").asText()).isEqualTo("SWITCHBACK");
    assertThat(second.get("testAccuracy").asDouble()).isEqualTo(0.872);
    assertThat(second.get("finalLoss").asDouble()).isEqualTo(0.314);
    assertThat(second.get("stepMillis").asDouble()).isEqualTo(95);
    assertThat(second.get("imagesPerSecond").asDouble()).isCloseTo(256 / 0.095, within(1e-9));
    assertThat(second.get("testAccuracyMinusFirst").get("estimate").asDouble()).isEqualTo(-0.0015);
    assertThat(second.get("speedOverFirst").get("lower").asDouble()).isBetween(1.8, 1.92);
    assertThat(root.get("timing").asText()).contains("in turns", "rounds to warm up");
    assertThat(second.get("partsMillis").fieldNames())
        .toIterable()
        .containsExactly("quantize", "int8Multiply", "attention", "rest");
    assertThat(second.get("partsMillis").get("int8Multiply").asDouble()).isEqualTo(40);
    assertThat(root.get("machine").get("cpu").asText()).isEqualTo("Some CPU");
    assertThat(root.get("machine").get("cores").asInt()).isEqualTo(2);
    assertThat(root.get("machine").get("memoryGib").asDouble()).isEqualTo(24);
    assertThat(root.get("machine").get("os").asText()).isEqualTo("Linux 6.1");
    assertThat(root.get("jdk").asText()).isEqualTo("25.0.3 (Some vendor)");
    assertThat(root.get("backend").asText()).isEqualTo("vector");
    assertThat(root.get("seed").asLong()).isEqualTo(7);
    assertThat(root.get("options").get("epochs").asInt()).isEqualTo(5);
  }

  @Test
  void aLossThatIsNotANumberIsNull() throws IOException {
    new ResultWriter(folder).write(Sample.report(Sample.diverged()));

    assertThat(json().get("runs").get(0).get("finalLoss").isNull()).isTrue();
  }

  @Test
  void csvHasAColumnAPrecisionAndARowAStep() throws IOException {
    new ResultWriter(folder).write(Sample.report(Sample.FLOAT32, Sample.diverged()));
    List<String> lines = Files.readAllLines(folder.resolve("curves.csv"));

    assertThat(lines).hasSize(101);
    assertThat(lines.get(0)).isEqualTo("step,FLOAT32,INT8_ALL");
    assertThat(lines.get(1)).isEqualTo("1,2.5,2.5");
    assertThat(lines.get(3)).isEqualTo("3," + 2.5 / (1 + 0.1 * 2) + ",NaN");
    assertThat(lines.get(100)).isEqualTo("100," + 2.5 / (1 + 0.1 * 99) + ",");
  }

  @Test
  void svgIsWellFormedAndHoldsBothCurvesOfEachRun() throws Exception {
    assumeTrue(LossChart.canBeLabelled(), "Java finds no font on this machine");
    Element root = svg(new LossChart(Sample.report(Sample.FLOAT32, Sample.SWITCHBACK)).svg());

    assertThat(root.getLocalName()).isEqualTo("svg");
    assertThat(root.getAttribute("viewBox")).isEqualTo("0 0 960 560");
    // Smoothed in full colour (and once in the legend), raw in a light one, 99 segments a curve.
    assertThat(lines(root, "rgb(0,114,178)")).isEqualTo(100);
    assertThat(lines(root, "rgb(213,94,0)")).isEqualTo(100);
    assertThat(lines(root, "rgb(191,219,235)")).isEqualTo(99);
    assertThat(lines(root, "rgb(244,214,191)")).isEqualTo(99);
  }

  /** Of all precisions, and of PyTorch in two. */
  @Test
  void everyCurveHasAColourOfItsOwn() throws Exception {
    assumeTrue(LossChart.canBeLabelled(), "Java finds no font on this machine");
    int count = Precision.values().length + 2;
    TimedTraining[] runs =
        IntStream.range(0, count)
            .mapToObj(
                i ->
                    new TimedTraining(
                        new TrainingResult("run " + i, 1, List.of(), 1, Sample.losses(3, i)),
                        Sample.FLOAT32.times(),
                        1))
            .toArray(TimedTraining[]::new);
    Element root = svg(new LossChart(Sample.report(runs)).svg());
    NodeList lines = root.getElementsByTagNameNS("*", "line");
    // Three points are two segments; with that of the legend three in full colour.
    Map<String, Long> byColour =
        IntStream.range(0, lines.getLength())
            .mapToObj(i -> stroke((Element) lines.item(i)))
            .collect(Collectors.groupingBy(colour -> colour, Collectors.counting()));
    assertThat(byColour.values().stream().filter(segments -> segments == 3)).hasSize(count);
  }

  @Test
  void aTrainingThatDivergedAtOnceIsInTheLegendOnly() throws Exception {
    assumeTrue(LossChart.canBeLabelled(), "Java finds no font on this machine");
    TimedTraining run =
        new TimedTraining(
            new TrainingResult(
                "FLOAT32", 2000, List.of(0), Double.NaN, List.of(Double.NaN, Double.NaN)),
            new StepTimes(List.of(1.0), Map.of()),
            1);

    Element alone = svg(new LossChart(Sample.report(run)).svg());
    assertThat(lines(alone, "rgb(0,114,178)")).isEqualTo(1);
    Element besideAnother = svg(new LossChart(Sample.report(run, Sample.SWITCHBACK)).svg());
    assertThat(lines(besideAnother, "rgb(0,114,178)")).isEqualTo(1);
    assertThat(lines(besideAnother, "rgb(213,94,0)")).isEqualTo(100);
  }

  @Test
  void equalReportsGiveEqualBytes() throws IOException {
    Path first = folder.resolve("first");
    Path second = folder.resolve("second");
    new ResultWriter(first).write(Sample.report(Sample.FLOAT32, Sample.SWITCHBACK));
    new ResultWriter(second).write(Sample.report(Sample.FLOAT32, Sample.SWITCHBACK));

    for (String name : filesIn(first)) {
      assertThat(first.resolve(name)).hasSameBinaryContentAs(second.resolve(name));
    }
  }

  @Test
  void aFolderThatCannotBeCreatedIsASentence() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "not a folder");

    assertThatThrownBy(() -> new ResultWriter(file.resolve("out")).createFolder())
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageStartingWith("the folder " + file.resolve("out") + " cannot be created: ");
  }

  @Test
  void aFileThatCannotBeReplacedIsASentenceAndLeavesNoPartBehind() throws IOException {
    // A folder with something in it stands where the file should go.
    Files.createDirectories(folder.resolve("curves.csv/in-the-way"));

    assertThatThrownBy(() -> new ResultWriter(folder).write(Sample.report(Sample.FLOAT32)))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageStartingWith(folder.resolve("curves.csv") + " cannot be written: ");
    assertThat(filesIn(folder)).containsExactlyInAnyOrder("result.json", "curves.csv");
  }

  private JsonNode json() throws IOException {
    return new ObjectMapper().readTree(folder.resolve("result.json").toFile());
  }

  private static List<String> filesIn(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static Element svg(String text)
      throws ParserConfigurationException, SAXException, IOException {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    // The DTD that the file names would be fetched from the network otherwise.
    factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
    DocumentBuilder builder = factory.newDocumentBuilder();
    return builder.parse(new InputSource(new StringReader(text))).getDocumentElement();
  }

  private static long lines(Element root, String color) {
    NodeList lines = root.getElementsByTagNameNS("*", "line");
    return IntStream.range(0, lines.getLength())
        .filter(i -> stroke((Element) lines.item(i)).equals(color))
        .count();
  }

  /** The stroke of an element is its own or that of the nearest group around it. */
  private static String stroke(Element element) {
    return element.hasAttribute("stroke")
        ? element.getAttribute("stroke")
        : stroke((Element) element.getParentNode());
  }
}
