package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application that is dropped takes its class loader, its code and its threads with it. */
class RedeployTest {
  @TempDir private Path directory;

  @Test
  void nothingIsLeftOfADroppedApplication() throws Exception {
    check("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED");
  }

  /** It falls back to another backend, and says so in the log. */
  @Test
  @Tag("full")
  void norWithoutMachineCode() throws Exception {
    check("--add-modules=jdk.incubator.vector");
  }

  private void check(String... flags) throws Exception {
    OtherJvm run = OtherJvm.run(directory, Redeployed.class, flags);

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output()).contains(Redeployed.NOTHING_LEFT);
  }
}
