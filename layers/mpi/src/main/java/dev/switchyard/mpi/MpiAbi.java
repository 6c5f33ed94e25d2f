package dev.switchyard.mpi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;

/**
 * The binary interface of a family of MPI libraries: what its header file hides behind names. In
 * Open MPI a handle is the address of a variable, in MPICH and those compatible with it a number.
 *
 * @param handle the layout of a handle
 * @param world MPI_COMM_WORLD
 * @param bytes MPI_BYTE
 * @param floats MPI_FLOAT
 * @param doubles MPI_DOUBLE
 * @param sum MPI_SUM
 * @param errorsReturn MPI_ERRORS_RETURN
 * @param inPlace MPI_IN_PLACE
 * @param ignoreStatus MPI_STATUS_IGNORE
 */
record MpiAbi(
    ValueLayout handle,
    long world,
    long bytes,
    long floats,
    long doubles,
    long sum,
    long errorsReturn,
    MemorySegment inPlace,
    MemorySegment ignoreStatus) {
  /** Stands for a handle of whichever family. */
  static final MemoryLayout HANDLE = JAVA_LONG.withName("handle");

  /** A request fits in here in both families. */
  static final MemoryLayout REQUEST = ADDRESS;

  private static final MpiAbi MPICH =
      new MpiAbi(
          JAVA_INT,
          0x44000000,
          0x4c00010d,
          0x4c00040a,
          0x4c00080b,
          0x58000003,
          0x54000001,
          MemorySegment.ofAddress(-1),
          MemorySegment.ofAddress(1));

  /**
   * The interface of a library.
   *
   * @param version what it calls itself
   * @param name its file
   * @throws CollectiveException if its family is not known
   */
  static MpiAbi of(String version, String name, SymbolLookup symbols) {
    if (version.startsWith("Open MPI")) {
      return openMpi(symbols);
    }
    // Those of the MPICH ABI Compatibility Initiative.
    if (version.startsWith("MPICH")
        || version.startsWith("Intel(R) MPI")
        || version.startsWith("MVAPICH")) {
      return MPICH;
    }
    throw new CollectiveException(
        String.format(
            java.util.Locale.ROOT,
            "%s is \"%s\", whose binary interface is not known (expected Open MPI, or MPICH or one"
                + " compatible with it)",
            name,
            version));
  }

  private static MpiAbi openMpi(SymbolLookup symbols) {
    return new MpiAbi(
        JAVA_LONG,
        symbols.findOrThrow("ompi_mpi_comm_world").address(),
        symbols.findOrThrow("ompi_mpi_byte").address(),
        symbols.findOrThrow("ompi_mpi_float").address(),
        symbols.findOrThrow("ompi_mpi_double").address(),
        symbols.findOrThrow("ompi_mpi_op_sum").address(),
        symbols.findOrThrow("ompi_mpi_errors_return").address(),
        MemorySegment.ofAddress(1),
        MemorySegment.NULL);
  }
}
