package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.OtherJvm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What processes do together, in processes of mpirun; {@link Ranks} has what each of them does. */
class RanksTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "OPEN_MPI, 2, exchanges",
    "OPEN_MPI, 3, exchanges",
    "OPEN_MPI, 2, training",
    "OPEN_MPI, 3, training",
    "OPEN_MPI, 2, refusals",
    "OPEN_MPI, 3, refusals",
    "MPICH, 2, exchanges",
    "MPICH, 3, training",
    "MPICH, 2, refusals"
  })
  void processesDoIt(MpiRun mpi, int processes, String what) throws Exception {
    mpi.require();
    List<String> java =
        new ArrayList<>(
            OtherJvm.command(
                Ranks.class,
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-Xmx256m"));
    java.add(what);

    OtherJvm run = mpi.run(folder, processes, java);

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output().lines().filter(line -> line.equals(what + " done")).count())
        .as(run.output())
        .isEqualTo(processes);
  }
}
