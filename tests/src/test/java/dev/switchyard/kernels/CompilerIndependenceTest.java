package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A seed gives the same bits whatever the compiler has reached. */
@Tag("full")
class CompilerIndependenceTest {
  @TempDir private Path directory;

  @Test
  void compiledResultsEqualInterpretedOnes() throws IOException, InterruptedException {
    OtherJvm run =
        OtherJvm.run(
            directory, CompilerIndependence.class, "-Xbatch", "--add-modules=jdk.incubator.vector");

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output()).contains(CompilerIndependence.PASSED);
  }
}
