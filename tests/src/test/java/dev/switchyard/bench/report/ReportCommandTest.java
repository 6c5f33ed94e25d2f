package dev.switchyard.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.command.Json;
import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.page.PageTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

class ReportCommandTest {
  private static final String CLASSES = "dev.switchyard.bench.kernels.";

  @TempDir private Path folder;
  @TempDir private Path earlier;

  /** An entry as JMH writes it. */
  private static Map<String, Object> entry(
      String benchmark, String shape, String contestant, String unit, double... values) {
    Map<String, Object> metric = new LinkedHashMap<>();
    metric.put("scoreUnit", unit);
    metric.put("rawData", List.of(values)); // one fork
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("benchmark", CLASSES + benchmark + ".run");
    entry.put("params", Map.of("shape", shape, "contestant", contestant, "threads", "1"));
    entry.put("primaryMetric", metric);
    return entry;
  }

  private static void write(Path folder, Suite suite, List<Map<String, Object>> entries)
      throws IOException {
    Files.writeString(folder.resolve(suite.fileName()), Json.of(entries));
  }

  private static void machine(Path folder) throws IOException {
    Roofs roofs =
        new Roofs(
            new MachineInfo("a CPU", 2, 1L << 30, "an OS", "a JDK"),
            "a backend",
            Map.of("onednn", "oneDNN 9"),
            Map.of("INT8", 800.0, "FLOAT32", 200.0),
            10);
    Files.writeString(folder.resolve(Roofs.FILE), Json.of(roofs));
  }

  private CommandRun report(String... arguments) {
    List<String> all = new ArrayList<>(List.of("report", folder.toString()));
    all.addAll(List.of(arguments));
    return CommandRun.of(all.toArray(String[]::new));
  }

  private Document page() throws IOException, SAXException, ParserConfigurationException {
    return PageTest.parse(Files.readString(folder.resolve("report.html")));
  }

  private static List<String> cells(Document page) {
    NodeList cells = page.getElementsByTagName("td");
    return IntStream.range(0, cells.getLength())
        .mapToObj(i -> cells.item(i).getTextContent())
        .toList();
  }

  private static long count(Document page, String tag, String kind) {
    NodeList found = page.getElementsByTagName(tag);
    return IntStream.range(0, found.getLength())
        .filter(
            i ->
                Arrays.asList(((Element) found.item(i)).getAttribute("class").split(" ", -1))
                    .contains(kind))
        .count();
  }

  @Test
  void productsAreHeldAgainstPeersAndLimits()
      throws IOException, SAXException, ParserConfigurationException {
    machine(folder);
    // 1000 x 1000 x 1000: 2 Gop, so that 4 ms are 500 Gop/s.
    write(
        folder,
        Suite.MULTIPLY,
        List.of(
            entry("MatmulBenchmark", "1000x1000x1000", "INT8", "ms/op", 4, 4, 3),
            entry("MatmulBenchmark", "1000x1000x1000", "onednn INT8", "ms/op", 5),
            entry("MatmulBenchmark", "1000x1000x1000", "onednn FLOAT32", "ms/op", 20),
            // The second round of the first: the median of both is 4.
            entry("MatmulBenchmark", "1000x1000x1000", "INT8", "ms/op", 6, 6)));

    CommandRun run = report();

    assertThat(run.err()).isEmpty();
    assertThat(run.out()).isEqualTo("Written to " + folder + ": report.html, report.csv\n");
    Document page = page();
    assertThat(page.getDocumentElement().getTextContent())
        .contains(
            "a CPU, 2 cores",
            "oneDNN 9",
            "a backend",
            "INT8 is 1.25 times as fast as onednn INT8.",
            "INT8 800",
            "20.0 GB/s"); // a copy moves each byte twice
    assertThat(cells(page))
        .contains("4.00 ms", "5.00 ms", "20.0 ms", "500, 63 %", "400, 50 %", "100, 50 %");
    assertThat(count(page, "rect", "f0")).isOne();
    assertThat(count(page, "path", "line")).isEqualTo(2); // limits of two types
    assertThat(count(page, "path", "point")).isEqualTo(3);
    assertThat(Files.readAllLines(folder.resolve("report.csv")))
        .contains("multiply,1000x1000x1000,\"INT8\",1,ms/op,4.0,4.0,6.0")
        .hasSize(4);
  }

  /** 1.2 and 1.3 times as fast in two rounds, of which the second was slower for both. */
  @Test
  void roundsGiveAnInterval() throws IOException, SAXException, ParserConfigurationException {
    List<Map<String, Object>> entries = new ArrayList<>(rounds("SWITCHBACK", "10 20"));
    entries.addAll(rounds("onednn FLOAT32", "12 26"));
    write(folder, Suite.STEP, entries);

    assertThat(report().exitCode()).isZero();

    assertThat(page().getDocumentElement().getTextContent())
        .contains(
            "SWITCHBACK is 1.25 (95 % interval 0.75 to 2.08) times as fast as onednn FLOAT32");
  }

  @Test
  void findsWhereSwitchBackBeginsToPay()
      throws IOException, SAXException, ParserConfigurationException {
    Map<String, Object> few = entry("SweepBenchmark", "100x256", "SWITCHBACK", "ms/op", 2);
    few.put(
        "secondaryMetrics",
        Map.of(
            "steps", Map.of("score", 10.0),
            "quantize", Map.of("score", 1e6), // in all ten steps: 5 % of them
            "multiply", Map.of("score", 8e6),
            "weightGradient", Map.of("score", 11e6)));
    write(
        folder,
        Suite.SWEEP,
        List.of(
            few,
            entry("SweepBenchmark", "100x256", "BFLOAT16", "ms/op", 1.5),
            entry("SweepBenchmark", "100x256", "onednn BFLOAT16", "ms/op", 1),
            entry("SweepBenchmark", "10000x256", "SWITCHBACK", "ms/op", 100),
            entry("SweepBenchmark", "10000x256", "onednn BFLOAT16", "ms/op", 150)));

    assertThat(report().exitCode()).isZero();

    // Half as fast at 100 rows and 1.5 times at 10,000: even halfway, in the logarithm.
    assertThat(cells(page())).contains("from about 1000 rows", "5.0 %", "40.0 %", "55.0 %");
  }

  @Test
  void breakEvenIsWhereSpeedStaysAboveOne() {
    double[] rows = {10, 100, 1000};
    assertThat(SweepSection.breakEven(rows, new double[] {1.1, 1.2, 1.3}))
        .isEqualTo("at all rows from 10");
    assertThat(SweepSection.breakEven(rows, new double[] {1.1, 0.5, 0.9}))
        .isEqualTo("not up to 1000 rows");
    assertThat(SweepSection.breakEven(rows, new double[] {1.1, 0.5, 1.5}))
        .isEqualTo("from about 316 rows");
  }

  /** One entry for each round, of one value. */
  private static List<Map<String, Object>> rounds(String contestant, String times) {
    return Arrays.stream(times.split(" ", -1))
        .map(time -> entry("StepBenchmark", "1x1x1", contestant, "ms/op", Double.parseDouble(time)))
        .toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1.00 1.01 1.02    | 1.10 1.11 1.12    | 0.91 (0.89 to 0.93) | slower",
        "1.10 1.11 1.12    | 1.00 1.01 1.02    | 1.10 (1.08 to 1.12) | faster",
        "1.000 1.001 1.002 | 1.010 1.011 1.012 | '' | ''", // as fast, within 3 %
        "1 2 3             | 2 2.5 3           | 0.74 (0.22 to 2.48) | cannot be told",
        "1.00 1.01         | 1.10 1.30         | 0.84 (0.30 to 2.39) | cannot be told",
        "1                 | 2                 | 0.50 (no interval) | measured once",
        "1.00 1.01 1.02    | 4                 | 0.25 (no interval) | measured once"
      })
  void aChangeIsToldByItsInterval(String before, String now, String speed, String change)
      throws IOException, SAXException, ParserConfigurationException {
    write(earlier, Suite.STEP, rounds("SWITCHBACK", before));
    write(folder, Suite.STEP, rounds("SWITCHBACK", now));

    CommandRun run = report("--against", earlier.toString());

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out().contains("\n  step 1x1x1 SWITCHBACK: "))
        .isEqualTo(change.equals("slower"));
    List<String> cells = cells(page());
    if (change.isEmpty()) {
      assertThat(run.out()).contains("1 are as fast within 3 %");
      assertThat(cells).doesNotContain("step");
    } else {
      int at = cells.indexOf("step");
      assertThat(cells.subList(at + 5, at + 7)).containsExactly(speed, change);
    }
  }

  @Test
  void tellsWhatBecameSlower() throws IOException, SAXException, ParserConfigurationException {
    List<Map<String, Object>> then = new ArrayList<>();
    then.addAll(rounds("SWITCHBACK", "1.00 1.01 1.02"));
    then.addAll(rounds("BFLOAT16", "1 2 3")); // noise
    then.addAll(rounds("FLOAT32", "4 4 4"));
    then.addAll(rounds("onednn FLOAT32", "4 4 4"));
    write(earlier, Suite.STEP, then);
    List<Map<String, Object>> now = new ArrayList<>();
    now.addAll(rounds("SWITCHBACK", "1.10 1.11 1.12"));
    now.addAll(rounds("BFLOAT16", "2 2.5 3"));
    now.addAll(rounds("FLOAT32", "2 2 2"));
    now.addAll(rounds("onednn FLOAT32", "4.1 4.1 4.1"));
    now.add(entry("StepBenchmark", "2x1x1", "FLOAT32", "ms/op", 1));
    write(folder, Suite.STEP, now);

    CommandRun run = report("--against", earlier.toString());

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains(
            "Of 4 measured here and in "
                + earlier
                + ", 1 became slower, 1 faster, 1 are as fast within 3 %, and of 1 it cannot be"
                + " told. More rounds",
            "Peers, which tell how the machine fared, are 0.98 (no interval) times as fast",
            "\n  step 1x1x1 SWITCHBACK: 1.11 ms, 1.01 ms before, 0.91 (95 % interval"
                + " 0.89 to 0.93) times as fast\n")
        .hasLineCount(3);
    assertThat(cells(page())).contains("2.00 (2.00 to 2.00)");
  }

  @Test
  void trainingsInFoldersInsideAreShown()
      throws IOException, SAXException, ParserConfigurationException {
    Path inside = Files.createDirectory(folder.resolve("vit"));
    Files.writeString(
        inside.resolve("result.json"),
        """
        {"runs": [
          {"precision": "SWITCHBACK", "testAccuracy": 0.9, "finalLoss": 0.25, "stepMillis": 10,
           "imagesPerSecond": 3000,
           "speedOverFirst": {"estimate": 1, "lower": 1, "upper": 1}},
          {"precision": "PYTORCH_FLOAT32", "testAccuracy": 0.8, "finalLoss": null,
           "stepMillis": 30, "imagesPerSecond": 1000,
           "testAccuracyMinusFirst": {"estimate": -0.1, "lower": -0.12, "upper": -0.07},
           "speedOverFirst": {"estimate": 0.33, "lower": 0.32, "upper": 0.34}}],
         "machine": {"cpu": "a CPU", "os": "an OS"}, "jdk": "a JDK", "backend": "a backend",
         "options": {"epochs": 3}}
        """);
    Files.writeString(
        inside.resolve("curves.csv"), "step,SWITCHBACK,PYTORCH_FLOAT32\n1,2.5,2.5\n2,1.5,\n");

    assertThat(report().exitCode()).isZero();

    Document page = page();
    assertThat(page.getDocumentElement().getTextContent())
        .contains("Training: vit", "epochs 3", "a CPU, an OS, a JDK, a backend");
    assertThat(cells(page))
        .contains("90.00 %", "0.2500", "NaN", "3,000", "30.0 ms")
        .contains("-10.00 (-12.00 to -7.00)", "0.33 (0.32 to 0.34)")
        .doesNotContain("1.00 (1.00 to 1.00)");
    assertThat(count(page, "path", "s1")).isEqualTo(2); // the loss, and how it differs
    assertThat(count(page, "rect", "f1")).isOne();
    assertThat(page.getElementsByTagName("p").item(0).getTextContent())
        .startsWith("Only SWITCHBACK has an outcome"); // the other diverged
  }

  @Test
  void aSuiteOfWhichAllFailedIsLeftOut()
      throws IOException, SAXException, ParserConfigurationException {
    write(folder, Suite.CODA, List.of());
    write(
        folder,
        Suite.QUANTIZE,
        List.of(
            entry("QuantizeBenchmark", "8x8", "ROW", "us/op", 2),
            entry("QuantizeBenchmark", "8x8", "COPY OF AS MANY BYTES", "us/op", 1)));

    assertThat(report().exitCode()).isZero();

    assertThat(page().getDocumentElement().getTextContent())
        .contains("ROW is 0.50 times as fast as COPY OF AS MANY BYTES.", "2.00 µs")
        .doesNotContain(Suite.CODA.title());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "coda.json | [{] | coda.json is not the JSON expected: Unexpected",
        "coda.json | '[{\"benchmark\": \"dev.switchyard.bench.kernels.CodaBenchmark.run\"}]' |"
            + " coda.json has an entry without params.shape",
        "machine.json | {\"cpu\": 3} | machine.json is not the JSON expected: Missing",
        "result.json | {} | result.json has an entry without runs",
        "other.json | [] | holds no results (expected files such as multiply.json of switchyard"
            + " bench, or result.json of switchyard train)"
      })
  void filesThatAreNoResultsAreRefused(String file, String content, String message)
      throws IOException {
    Files.writeString(folder.resolve(file), content);

    CommandRun run = report();

    assertThat(run.exitCode()).isOne();
    assertThat(run.err()).contains(message).hasLineCount(1);
    assertThat(folder.resolve("report.html")).doesNotExist();
  }

  @Test
  void threadsThatAreNoNumberAreNamed() throws IOException {
    machine(folder);
    Map<String, Object> entry = entry("MatmulBenchmark", "8x8x8", "INT8", "ms/op", 5);
    entry.put("params", Map.of("shape", "8x8x8", "contestant", "INT8", "threads", "all"));
    write(folder, Suite.MULTIPLY, List.of(entry));

    CommandRun run = report();

    assertThat(run.exitCode()).isOne();
    assertThat(run.err())
        .contains("has threads all for 8x8x8 INT8 (expected a whole number)")
        .hasLineCount(1);
  }

  @Test
  void curvesThatAreNotTextAreNamed() throws IOException {
    Files.writeString(folder.resolve("result.json"), "{\"runs\": []}");
    Files.write(folder.resolve("curves.csv"), new byte[] {'s', (byte) 0xff, '\n'});

    CommandRun run = report();

    assertThat(run.exitCode()).isOne();
    assertThat(run.err()).contains("curves.csv cannot be read: it is not in UTF-8");
  }

  @Test
  void valuesThatCannotBeTimesAreRefused() throws IOException {
    write(folder, Suite.CODA, List.of(entry("CodaBenchmark", "1x1x1", "dense", "ms/op", 1, 0)));

    assertThat(report().err())
        .contains("coda.json has values [1.0, 0.0] for 1x1x1 dense (expected one or more above 0)");
  }

  @Test
  void foldersThatAreNotThereAreRefused() {
    CommandRun run = CommandRun.of("report", folder.resolve("none").toString());

    assertThat(run.exitCode()).isOne();
    assertThat(run.err()).contains("none does not exist (expected a folder that switchyard bench");
    assertThat(report("--against", folder.resolve("none").toString()).exitCode()).isOne();
  }
}
