package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.OtherJvm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What processes do together, in processes of mpirun; {@link Ranks} has what each of them does. */
class RanksTest {
  @TempDir private Path folder;

  @BeforeAll
  static void requireMpirun() {
    MpiRun.requireMpirun();
  }

  @ParameterizedTest
  @CsvSource({
    "2, exchanges",
    "3, exchanges",
    "2, training",
    "3, training",
    "2, refusals",
    "3, refusals"
  })
  void processesDoIt(int processes, String what) throws Exception {
    List<String> java =
        new ArrayList<>(
            OtherJvm.command(
                Ranks.class,
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-Xmx256m"));
    java.add(what);

    OtherJvm run = MpiRun.run(folder, processes, java);

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output().lines().filter(line -> line.equals(what + " done")).count())
        .as(run.output())
        .isEqualTo(processes);
  }
}
