package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.OtherJvm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What processes do together, in processes of mpirun; {@link Ranks} has what each of them does. */
class RanksTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"exchanges", "training", "refusals", "failures"})
  void twoProcessesDoIt(String what) throws Exception {
    processesDoIt(MpiRun.OPEN_MPI, 2, what);
  }

  @Tag("full")
  @ParameterizedTest
  @CsvSource({
    "OPEN_MPI, 3, exchanges",
    "OPEN_MPI, 3, training",
    "OPEN_MPI, 3, refusals",
    "OPEN_MPI, 3, failures",
    "MPICH, 2, exchanges",
    "MPICH, 3, training",
    "MPICH, 2, refusals",
    "MPICH, 2, failures"
  })
  void processesDoIt(MpiRun mpi, int processes, String what) throws Exception {
    OtherJvm run = run(mpi, processes, what);

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output().lines().filter(line -> line.equals(what + " done")).count())
        .as(run.output())
        .isEqualTo(processes);
  }

  /** A process throws; nobody waits for it for ever, and what it threw is there to be read. */
  @ParameterizedTest
  @EnumSource(MpiRun.class)
  void aProcessThatThrowsTakesTheOthersAlong(MpiRun mpi) throws Exception {
    OtherJvm run = run(mpi, 2, "stops");

    assertThat(run.exit()).as(run.output()).isNotZero();
    assertThat(run.output()).contains("NonFiniteException: ", "at dev.switchyard.mpi.Mpi.run");
  }

  private OtherJvm run(MpiRun mpi, int processes, String what) throws Exception {
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
    return mpi.run(folder, processes, java);
  }
}
