package dev.switchyard.bench.processes;

import dev.switchyard.mpi.Reduction;
import java.util.Locale;
import picocli.CommandLine.Option;

/** The options of a training that several processes can share. */
public final class SharingOptions {
  @Option(
      names = "--gradients",
      paramLabel = "NAME",
      defaultValue = "FLOAT32",
      description = {
        "Under mpirun: how the mean of gradients is computed (default: ${DEFAULT-VALUE}):",
        "FLOAT32   as the MPI library adds",
        "ORDERED   shard by shard, with the same bits for any number of processes",
        "BFLOAT16  half the bytes, with error feedback",
        "INT8      a quarter of the bytes, with error feedback"
      })
  private Reduction gradients;

  @Option(
      names = "--shards",
      paramLabel = "N",
      description =
          "With ORDERED: parts of a batch, which decide the bits of the result; a multiple of the"
              + " processes (default: one a process).")
  private Integer shards;

  @Option(
      names = "--shard-optimizer",
      description = "Under mpirun: keep the optimizer's state in parts, one a process (ZeRO-1).")
  private boolean optimizerIsSharded;

  @Option(
      names = "--local-steps",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Under mpirun, for slow links: each process makes so many steps alone before all take the"
              + " mean of their parameters (DiLoCo).")
  private int localSteps;

  /** Filled in by picocli. */
  public SharingOptions() {}

  /**
   * How the processes share a training.
   *
   * @param batch examples of a step
   * @throws IllegalArgumentException in terms of the options, if they do not fit
   */
  public Sharing sharing(Processes processes, int batch) {
    int parts = shards == null ? processes.count() : shards;
    if (shards != null && gradients != Reduction.ORDERED) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "--shards is for --gradients ORDERED, but that is %s", gradients));
    }
    if (parts < 1 || parts % processes.count() != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "--shards is %d but there are %d processes (expected a multiple of these)",
              parts,
              processes.count()));
    }
    if (parts > batch) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "--batch is %d, which %d shards cannot share (expected one a shard or more)",
              batch,
              parts));
    }
    boolean alone = parts == processes.count() && !optimizerIsSharded;
    if (localSteps < 0 || (localSteps > 0 && !alone)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "--local-steps is %d (expected 0 or more, and with steps that a process makes alone"
                  + " one shard a process and no --shard-optimizer)",
              localSteps));
    }
    return new Sharing(gradients, parts, optimizerIsSharded, localSteps);
  }
}
