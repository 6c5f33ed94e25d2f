package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

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
    Element root = svg(LossChart.of(List.of(Sample.FLOAT32, Sample.SWITCHBACK)).picture());

    assertThat(root.getLocalName()).isEqualTo("svg");
    assertThat(root.getNamespaceURI()).isEqualTo("http://www.w3.org/2000/svg");
    // Smoothed and raw, 99 segments a curve; smoothed is over raw.
    assertThat(paths(root, "line s0")).containsExactly(99, 99);
    assertThat(paths(root, "line s1")).containsExactly(99, 99);
    assertThat(root.getTextContent())
        .contains("FLOAT32 (test accuracy", "SWITCHBACK (test accuracy", "Training loss", "step");
  }

  /** Of all precisions, and of PyTorch in two. */
  @Test
  void everyCurveHasAColourOfItsOwn() throws Exception {
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
    Element root = svg(LossChart.of(List.of(runs)).picture());
    NodeList lines = root.getElementsByTagNameNS("*", "path");
    // Three points are two segments, raw and smoothed.
    Map<String, Long> byColour =
        IntStream.range(0, lines.getLength())
            .mapToObj(i -> ((Element) lines.item(i)).getAttribute("class"))
            .collect(Collectors.groupingBy(colour -> colour, Collectors.counting()));
    assertThat(byColour).hasSize(count).allSatisfy((_, curves) -> assertThat(curves).isEqualTo(2));
  }

  @Test
  void aTrainingThatDivergedAtOnceIsInTheLegendOnly() throws Exception {
    TimedTraining run =
        new TimedTraining(
            new TrainingResult(
                "FLOAT32", 2000, List.of(0), Double.NaN, List.of(Double.NaN, Double.NaN)),
            new StepTimes(List.of(1.0), Map.of()),
            1);

    Element alone = svg(LossChart.of(List.of(run)).picture());
    assertThat(paths(alone, "dots s0")).containsExactly(0, 0);
    assertThat(alone.getTextContent()).contains("FLOAT32 (test accuracy");
    Element besideAnother = svg(LossChart.of(List.of(run, Sample.SWITCHBACK)).picture());
    assertThat(paths(besideAnother, "dots s0")).containsExactly(0, 0);
    assertThat(paths(besideAnother, "line s1")).containsExactly(99, 99);
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

  /** How many segments each path of a class has. */
  private static List<Integer> paths(Element root, String kind) {
    NodeList paths = root.getElementsByTagNameNS("*", "path");
    return IntStream.range(0, paths.getLength())
        .mapToObj(i -> (Element) paths.item(i))
        .filter(path -> path.getAttribute("class").equals(kind))
        .map(path -> (int) path.getAttribute("d").chars().filter(c -> c == 'L').count())
        .toList();
  }
}
