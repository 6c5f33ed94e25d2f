package dev.switchyard.bench.suites;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.peers.Peers;
import dev.switchyard.bench.report.ContestantName;
import dev.switchyard.bench.report.Suite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchCommandTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private CommandRun bench(String... arguments) {
    List<String> all = new ArrayList<>(List.of("bench", "--out", folder.toString()));
    all.addAll(List.of(arguments));
    return CommandRun.of(all.toArray(String[]::new));
  }

  /** What reads results knows benchmarks and libraries by name alone. */
  @Test
  void reportsKnowBenchmarksAndPeersByTheirNames() {
    assertThat(Suite.values())
        .allSatisfy(
            suite -> assertThat(new SuiteBenchmark(suite).method()).isEqualTo(suite.method()));
    assertThat(ContestantName.PEERS).isEqualTo(Peers.names());
  }

  /** Small shapes: what is measured is checked first, which is the point here. */
  @Tag("full")
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "optimizer | 30x40 | ADAMW | pytorch ADAMW",
        "multiply | 5x7x9 | INT8 | ejml FLOAT32",
        "quantize | 6x8 | ROW STOCHASTIC | COPY",
        "step | 5x7x9 | SWITCHBACK | pytorch FLOAT32",
        "sweep | 5x7 | SWITCHBACK | onednn FLOAT32",
        "block | 2x3x64 | SWITCHBACK | pytorch BFLOAT16",
        "attention | 2x3x64 | BFLOAT16 | pytorch FLOAT32",
        "coda | 2x7x32 | dense | 'r = 3, chosen to all'"
      })
  void measuresEachSuite(String suite, String shape, String ours, String other) throws IOException {
    CommandRun run =
        bench(
            suite,
            "--shape",
            shape,
            "--contestant",
            ours,
            "--contestant",
            other,
            "--rounds",
            "1",
            "--iterations",
            "2",
            "--seconds",
            "0.01");

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("2 measurements", "Written to " + folder);
    JsonNode results = JSON.readTree(Files.readString(folder.resolve(suite + ".json")));
    assertThat(results).hasSize(2);
    assertThat(results.findValuesAsText("contestant")).containsExactly(ours, other);
    assertThat(results.findValuesAsText("shape")).containsOnly(shape);
    for (JsonNode result : results) {
      assertThat(Suite.ofBenchmark(result.get("benchmark").asText()))
          .map(Suite::key)
          .contains(suite);
      assertThat(result.at("/primaryMetric/rawData/0")).hasSize(2);
      assertThat(result.at("/primaryMetric/score").asDouble()).isPositive();
    }
    JsonNode machine = JSON.readTree(Files.readString(folder.resolve("machine.json")));
    assertThat(machine.at("/peers/onednn").asText()).startsWith("oneDNN 3");
    assertThat(machine.at("/copyGigabytes").asDouble()).isPositive();
  }

  @Tag("full")
  @Test
  void aFailureIsToldAndTheOthersAreKept() throws IOException {
    CommandRun run =
        bench(
            "block",
            "--shape=2x3x70", // a head has 64 features
            "--shape=2x3x64",
            "--contestant=FLOAT32",
            "--rounds=1",
            "--iterations=1",
            "--seconds=0.01");

    assertThat(run.exitCode()).isOne();
    assertThat(run.err())
        .startsWith("block 2x3x70 FLOAT32: ")
        .contains("70 features", "multiple of 64")
        .hasLineCount(1);
    assertThat(JSON.readTree(Files.readString(folder.resolve("block.json")))).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--rounds=0 | --rounds is 0",
        "--iterations=0 | --iterations is 0",
        "--seconds=0 | --seconds is 0.0",
        "--seconds=NaN | --seconds is NaN",
        "--threads=0 | --threads is 0",
        "--shape=3x4x5 | --shape is \"3x4x5\", which is none for optimizer (expected one such as"
            + " 1000",
        "--shape=0x4 | --shape is \"0x4\"",
        "--contestant=cublas | --contestant is \"cublas\", which optimizer does not have here"
      })
  void wrongOptionsAreRefused(String option, String message) {
    CommandRun run = bench("optimizer", option);

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(message).hasLineCount(1);
    assertThat(folder).isEmptyDirectory();
  }

  @Tag("full")
  @Test
  void earlierResultsAreNotOverwritten() throws IOException {
    Files.writeString(folder.resolve("coda.json"), "kept");

    CommandRun run = bench("optimizer", "coda");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("coda.json is there already");
    assertThat(folder.resolve("coda.json")).hasContent("kept");
    assertThat(folder.resolve("optimizer.json")).doesNotExist();
  }

  @Test
  void unknownSuitesAreRefused() {
    CommandRun run = bench("sorting");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("sorting");
  }
}
