package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Emitted code works on arrays in the heap: no collector may move one under it. */
@Tag("full")
class CollectorStressTest {
  private static final Pattern RESULT = Pattern.compile(CollectorStress.PASSED + "(\\d+)");

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"-XX:+UseG1GC", "-XX:+UseParallelGC", "-XX:+UseZGC"})
  void resultsStayTheSameWhileTheCollectorRuns(String collector)
      throws IOException, InterruptedException {
    OtherJvm run =
        OtherJvm.run(
            directory,
            CollectorStress.class,
            collector,
            "-Xmx96m",
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-Dswitchyard.backend=x86");

    assertThat(run.exit()).as(run.output()).isZero();
    Matcher result = RESULT.matcher(run.output());
    assertThat(result.find()).as(run.output()).isTrue();
    assertThat(Integer.parseInt(result.group(1))).isGreaterThan(3);
  }
}
