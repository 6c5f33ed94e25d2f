package dev.switchyard.mpi;

import dev.switchyard.kernels.OtherJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Processes of one main class, started by mpirun. */
public final class MpiRun {
  private MpiRun() {}

  /** Skips the test, with the reason, where there is no Open MPI. */
  public static void requireMpirun() {
    Assumptions.assumeTrue(
        mpirun().isPresent(), "no mpirun on the PATH (expected Open MPI: Debian's openmpi-bin)");
  }

  private static Optional<Path> mpirun() {
    return Stream.of(System.getenv("PATH").split(":", -1))
        .map(folder -> Path.of(folder, "mpirun"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Runs a main class of the class path in several processes, to the end of all. */
  public static OtherJvm run(Path directory, int processes, List<String> java)
      throws IOException, InterruptedException {
    return OtherJvm.finish(directory, command(processes, java));
  }

  /** The command that does so. */
  static List<String> command(int processes, List<String> java) {
    List<String> command = new ArrayList<>();
    command.add(mpirun().orElseThrow().toString());
    // root: containers. oversubscribe: more processes than cores. The rest keeps to this machine.
    command.addAll(List.of("--allow-run-as-root", "--oversubscribe", "--bind-to", "none"));
    command.addAll(List.of("--mca", "btl", "self,vader"));
    command.addAll(List.of("--mca", "btl_vader_single_copy_mechanism", "none"));
    command.addAll(List.of("--mca", "oob_tcp_if_include", "lo"));
    command.addAll(List.of("--mca", "mpi_yield_when_idle", "1"));
    command.addAll(List.of("-np", Integer.toString(processes)));
    command.addAll(java);
    return command;
  }
}
