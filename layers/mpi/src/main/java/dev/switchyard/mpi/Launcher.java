package dev.switchyard.mpi;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What started this process, by the variables that it leaves: which MPI its processes have to speak
 * follows from it, since no MPI understands the launcher of another.
 *
 * @param name what to call it
 * @param size how many processes it started; 0 if it does not say
 * @param libraries names under which its library is found
 */
record Launcher(String name, int size, List<String> libraries) {
  private static final boolean MAC = System.getProperty("os.name").startsWith("Mac");

  /** Open MPI 4 and 5 have the same binary interface. */
  private static final List<String> OPEN_MPI =
      MAC ? List.of("libmpi.40.dylib", "libmpi.dylib") : List.of("libmpi.so.40", "libmpi.so");

  private static final List<String> MPICH =
      MAC
          ? List.of("libmpi.12.dylib", "libmpich.dylib")
          : List.of("libmpich.so.12", "libmpi.so.12", "libmpich.so");

  /** The launcher of this process, if one started it. */
  static Optional<Launcher> find(Map<String, String> environment) {
    if (environment.containsKey("OMPI_COMM_WORLD_SIZE")) {
      return launcher("Open MPI's mpirun", environment.get("OMPI_COMM_WORLD_SIZE"), OPEN_MPI);
    }
    if (environment.containsKey("PMI_SIZE")) {
      return launcher("MPICH's mpiexec", environment.get("PMI_SIZE"), MPICH);
    }
    if (environment.containsKey("PMIX_RANK")) {
      return launcher("a launcher that speaks PMIx", "0", OPEN_MPI);
    }
    return Optional.empty();
  }

  private static Optional<Launcher> launcher(String name, String size, List<String> libraries) {
    int processes = size.matches("[0-9]{1,9}") ? Integer.parseInt(size) : 0;
    return Optional.of(new Launcher(name, processes, libraries));
  }
}
