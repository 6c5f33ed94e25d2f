package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Classes are initialized when kernels are created, if there is room, and not by the first call:
 * one that meets the end of the stack there would be lost for good.
 */
class FirstUseTest {
  @TempDir private Path directory;

  @Test
  void noCallInitializesAClass() throws Exception {
    noCallInitializesAClass("x86");
  }

  @Tag("full")
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void noCallInitializesAClass(String backend) throws Exception {
    OtherJvm run =
        OtherJvm.run(
            directory,
            FirstUse.class,
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-Dswitchyard.backend=" + backend,
            "-Xlog:class+init=info:stdout");

    assertThat(run.exit()).as(run.output()).isZero();
    List<String> lines = run.output().lines().toList();
    List<String> ours = lines.stream().filter(FirstUseTest::initializes).toList();
    assertThat(ours).as("what was initialized before").isNotEmpty();
    assertThat(lines.subList(0, lines.indexOf(FirstUse.REFUSED)))
        .noneMatch(FirstUseTest::initializes);
    assertThat(lines.subList(lines.indexOf(FirstUse.CREATED), lines.indexOf(FirstUse.USED)))
        .noneMatch(FirstUseTest::initializes);
  }

  /** A line about a class of ours with something to initialize, which a lambda has not. */
  private static boolean initializes(String line) {
    return line.contains("Initializing 'dev/switchyard/kernels/")
        && !line.contains("(no method)")
        && !line.contains("Lambda");
  }
}
