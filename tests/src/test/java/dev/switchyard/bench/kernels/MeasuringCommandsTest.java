package dev.switchyard.bench.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.bench.peers.Peers;
import dev.switchyard.kernels.data.ElementType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code switchyard matmul} and {@code switchyard step}: what they accept and what they print. */
class MeasuringCommandsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @ParameterizedTest
  @CsvSource({"int8, INT8", "bf16, BFLOAT16", "f32, FLOAT32"})
  void matmulPrintsJsonAlone(String type, ElementType element) throws IOException {
    CommandRun run =
        CommandRun.of(
            ("matmul -m 17 -n 33 -k 65 --rounds 1 --threads 2 --json --type " + type).split(" "));

    assertThat(run.exitCode()).as(run.err()).isZero();
    JsonNode root = JSON.readTree(run.out());
    assertThat(root.fieldNames())
        .toIterable()
        .containsExactly("type", "m", "n", "k", "threads", "peakGops", "results");
    assertThat(root.get("type").textValue()).isEqualTo(type);
    assertThat(root.get("m").intValue()).isEqualTo(17);
    assertThat(root.get("n").intValue()).isEqualTo(33);
    assertThat(root.get("k").intValue()).isEqualTo(65);
    assertThat(root.get("threads").intValue()).isEqualTo(2);
    double peak = root.get("peakGops").doubleValue();
    assertThat(peak).isPositive();
    List<String> names = new ArrayList<>();
    List<Double> rates = new ArrayList<>();
    for (JsonNode result : root.get("results")) {
      assertThat(result.fieldNames()).toIterable().containsExactly("name", "gops", "shareOfPeak");
      rates.add(result.get("gops").doubleValue());
      names.add(result.get("name").textValue());
      assertThat(result.get("gops").doubleValue()).isPositive();
      assertThat(result.get("shareOfPeak").doubleValue() * peak)
          .isCloseTo(result.get("gops").doubleValue(), within(1e-6));
    }
    assertThat(peak).as("not the best rate, but that of the instruction").isNotIn(rates);
    assertThat(names).contains("vector", "reference").endsWith(peers(element));
  }

  private static String[] peers(ElementType type) {
    return Peers.find(Peers.FASTEST, 1, (name, reason) -> {}).stream()
        .filter(peer -> peer.types().contains(type))
        .map(Peer::name)
        .toArray(String[]::new);
  }

  /** Of sums that no int32 holds. */
  @Test
  void matmulPrintsATable() {
    CommandRun run =
        CommandRun.of("matmul -m 2 -n 3 -k 131073 --rounds 1 --backend reference".split(" "));

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .containsPattern(
            "^int8, 2x131073 by 3x131073 transposed; peak [0-9]+ Gop/s \\(the best of these\\), 1"
                + " thread")
        .containsPattern("Gop/s +of peak +ratio *\n")
        .containsPattern("reference +[0-9.]+ +[0-9.]+ % +1.00\n")
        .contains(" 100.0 % ")
        .doesNotContain("vector");
    assertThat(run.err()).contains("Warming up reference", "Round 1 of 1");
  }

  @Test
  void stepPrintsJsonAlone() throws IOException {
    CommandRun run =
        CommandRun.of("step --rows 17 --in 33 --out 65 --rounds 1 --threads 2 --json".split(" "));

    assertThat(run.exitCode()).as(run.err()).isZero();
    JsonNode root = JSON.readTree(run.out());
    assertThat(root.fieldNames())
        .toIterable()
        .containsExactly("rows", "in", "out", "threads", "results");
    assertThat(root.get("rows").intValue()).isEqualTo(17);
    assertThat(root.get("in").intValue()).isEqualTo(33);
    assertThat(root.get("out").intValue()).isEqualTo(65);
    assertThat(root.get("threads").intValue()).isEqualTo(2);
    List<String> precisions = new ArrayList<>();
    for (JsonNode result : root.get("results")) {
      assertThat(result.fieldNames())
          .toIterable()
          .containsExactly("name", "precision", "millis", "partsMillis");
      precisions.add(result.get("precision").textValue());
      JsonNode parts = result.get("partsMillis");
      assertThat(parts.fieldNames())
          .toIterable()
          .containsExactly("quantize", "multiply", "weightGradient", "rest");
      double sum = 0;
      for (JsonNode part : parts) {
        sum += part.doubleValue();
      }
      assertThat(result.get("millis").doubleValue()).isPositive().isCloseTo(sum, within(1e-6));
    }
    assertThat(precisions).startsWith("SWITCHBACK", "BFLOAT16", "FLOAT32");
  }

  /** Of an input gradient whose sums no int32 holds. */
  @Test
  void stepPrintsATable() {
    CommandRun run =
        CommandRun.of(
            "step --rows 2 --in 3 --out 131073 --rounds 1 --backend reference".split(" "));

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .startsWith("2 rows, 3 to 131073 features, 1 thread")
        .containsPattern("reference SWITCHBACK( +[0-9.]+){5} +1.00\n")
        .containsPattern("reference FLOAT32 ");
  }

  @Test
  void codaComparesWithTheDenseLayer() throws IOException {
    String small = "coda --features 32 --tokens 7 --sequences 2 --rounds 1";
    CommandRun run = CommandRun.of(small.split(" "));

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .startsWith("2 sequences of 7 tokens, 32 features, SWITCHBACK, 1 thread")
        .containsPattern("dense +[0-9.]+ +1.00 ")
        .contains("r = 3, chosen to all", "r = 5, chosen to chosen", "r = 3, separate routers")
        .contains("dense FLOAT32");
    JsonNode report =
        new ObjectMapper().readTree(CommandRun.of((small + " --json").split(" ")).out());
    assertThat(report.get("results")).hasSize(9);
    for (JsonNode result : report.get("results")) {
      assertThat(result.get("millis").doubleValue())
          .isGreaterThan(
              result.get("routeMillis").doubleValue()
                  + result.get("attentionMillis").doubleValue());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "matmul                              | Missing required options: '-m=N', '-n=N', '-k=N'",
        "matmul -m 0 -n 1 -k 1               | -m is 0 (expected 1 to 134217728)",
        "matmul -m 1 -n -2 -k 1              | -n is -2 (expected 1 to 134217728)",
        "matmul -m 1 -n 1 -k 134217729       | -k is 134217729 (expected 1 to 134217728)",
        "matmul -m 1000000 -n 1 -k 1000      | -m is 1000000 and -k is 1000, a matrix of 1000000000"
            + " elements (expected at most 134217728)",
        "matmul -m x -n 1 -k 1               | Invalid value for option '-m': 'x' is not an int",
        "matmul -m 1 -n 1 -k 1 --type int4   | expected one of [INT8, BF16, F32] (case-insensitive)"
            + " but was 'int4'",
        "matmul -m 1 -n 1 -k 1 --threads 0   | --threads is 0 (expected 1 to 1024)",
        "matmul -m 1 -n 1 -k 1 --rounds 0    | --rounds is 0 (expected 1 to 1000)",
        "matmul -m 1 -n 1 -k 1 --backend foo | unknown backend \"foo\"",
        "matmul -m 11000 -n 12000 -k 11000   | these sizes need about",
        "step --rows 0                       | --rows is 0 (expected 1 to 134217728)",
        "step --in 0                         | --in is 0 (expected 1 to 134217728)",
        "step --threads -1                   | --threads is -1 (expected 1 to 1024)",
        "coda --features 40                  | --features is 40 (expected a multiple of 32)",
        "coda --tokens 0                     | --tokens is 0 (expected 1 to 65536)",
        "coda --tokens 65536 --sequences 999 | are too many (expected at most",
        "coda --precision int4               | Invalid value for option '--precision'",
        "step --backend foo                  | unknown backend \"foo\"",
      })
  void usageErrorIsOneSentenceAndExitCode2(String commandLine, String sentence) {
    CommandRun run = CommandRun.of(commandLine.split(" +"));

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains(sentence).endsWith(" --help" + System.lineSeparator());
    assertThat(run.err().lines()).hasSize(1);
  }
}
