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

/** Processes that an MPI starts. */
public enum MpiRun {
  /** Open MPI. */
  OPEN_MPI("mpirun.openmpi mpirun") {
    @Override
    List<String> options() {
      // root: containers. oversubscribe: more processes than cores. The rest keeps to this machine.
      List<String> options = new ArrayList<>();
      options.addAll(List.of("--allow-run-as-root", "--oversubscribe", "--bind-to", "none"));
      options.addAll(List.of("--mca", "btl", "self,vader"));
      options.addAll(List.of("--mca", "btl_vader_single_copy_mechanism", "none"));
      options.addAll(List.of("--mca", "oob_tcp_if_include", "lo"));
      options.addAll(List.of("--mca", "mpi_yield_when_idle", "1"));
      return options;
    }
  },

  /** MPICH. */
  MPICH("mpirun.mpich") {
    @Override
    List<String> options() {
      return List.of();
    }
  };

  private final String names;

  MpiRun(String names) {
    this.names = names;
  }

  abstract List<String> options();

  /** Skips the test, with the reason, where this MPI is not installed. */
  public void require() {
    Assumptions.assumeTrue(
        find().isPresent(), "there is no " + names.replace(" ", " or ") + " on the PATH");
  }

  private Optional<Path> find() {
    return Stream.of(names.split(" ", -1))
        .flatMap(
            name -> Stream.of(System.getenv("PATH").split(":", -1)).map(dir -> Path.of(dir, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Runs a command in several processes, to the end of all. */
  public OtherJvm run(Path directory, int processes, List<String> command)
      throws IOException, InterruptedException {
    return OtherJvm.finish(directory, command(processes, command));
  }

  /** The command that does so. */
  public List<String> command(int processes, List<String> command) {
    List<String> all = new ArrayList<>();
    all.add(find().orElseThrow().toString());
    all.addAll(options());
    all.addAll(List.of("-np", Integer.toString(processes)));
    all.addAll(command);
    return all;
  }
}
