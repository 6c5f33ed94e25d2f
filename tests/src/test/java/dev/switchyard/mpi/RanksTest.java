package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.OtherJvm;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What processes do together, in processes of mpirun; {@link Ranks} has what each of them does. */
class RanksTest {
  private static final List<String> FASTEST =
      List.of(
          "--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector", "-Xmx256m");
  private static final List<String> REFERENCE =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "-Dswitchyard.backend=reference",
          "-XX:TieredStopAtLevel=1",
          "-Xmx256m");

  @TempDir private Path folder;

  /** All in one run, on the backend that needs no time to warm up. */
  @Test
  void twoProcessesDoIt() throws Exception {
    processesDoIt(MpiRun.OPEN_MPI, 2, "exchanges refusals failures", REFERENCE);
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
    processesDoIt(mpi, processes, what, FASTEST);
  }

  private void processesDoIt(MpiRun mpi, int processes, String all, List<String> flags)
      throws Exception {
    OtherJvm run = run(mpi, processes, all, flags);

    assertThat(run.exit()).as(run.output()).isZero();
    for (String said : (all.replace(" ", " done,") + " done,left").split(",", -1)) {
      assertThat(run.output().lines().filter(said::equals).count())
          .as("%s in %s", said, run.output())
          .isEqualTo(processes);
    }
  }

  /** A process throws; nobody waits for it for ever, and what it threw is there to be read. */
  @ParameterizedTest
  @EnumSource(MpiRun.class)
  void aProcessThatThrowsTakesTheOthersAlong(MpiRun mpi) throws Exception {
    OtherJvm run = run(mpi, 2, "stops", REFERENCE);

    assertThat(run.exit()).as(run.output()).isNotZero();
    assertThat(run.output()).contains("NonFiniteException: ", "at dev.switchyard.mpi.Mpi.run");
  }

  private OtherJvm run(MpiRun mpi, int processes, String what, List<String> flags)
      throws Exception {
    mpi.require();
    List<String> java = OtherJvm.command(Ranks.class, flags.toArray(String[]::new));
    java.addAll(List.of(what.split(" ", -1)));
    return mpi.run(folder, processes, java);
  }
}
