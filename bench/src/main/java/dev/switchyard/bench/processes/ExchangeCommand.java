package dev.switchyard.bench.processes;

import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.command.TextTable;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import dev.switchyard.mpi.DataParallel;
import dev.switchyard.mpi.Reduction;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code switchyard exchange}: what the exchange of gradients costs between these processes. */
@Command(
    name = "exchange",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures, under mpirun, how long sums over all processes take by their size, and the mean of"
          + " gradients by each way to reduce them.",
      "",
      "  mpirun -np 2 bench/switchyard exchange",
      ""
    })
public final class ExchangeCommand implements Callable<Integer> {
  private static final double NANOS_A_MILLI = 1e6;
  private static final int[] SIZES = {1, 1 << 10, 1 << 14, 1 << 18, 1 << 22};

  @Spec private CommandSpec spec;

  @Option(
      names = "--elements",
      paramLabel = "N",
      defaultValue = "2000000",
      description = "Numbers in the gradients of a model (default: ${DEFAULT-VALUE}).")
  private int elements;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "21",
      description = "Measure N times, and show the median (default: ${DEFAULT-VALUE}).")
  private int rounds;

  private Processes processes;

  /** Filled in by picocli. */
  public ExchangeCommand() {}

  @Override
  public Integer call() {
    try {
      OptionRange.require("--elements", elements, 1 << 28);
      OptionRange.require("--rounds", rounds, 1_000_000);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
    processes = Processes.join(spec);
    if (processes.count() == 1) {
      throw new ParameterException(
          spec.commandLine(),
          "there is one process alone, which exchanges nothing (expected mpirun -np 2"
              + " bench/switchyard exchange)");
    }
    PrintWriter console = processes.console(spec.commandLine().getOut());
    console.printf(
        Locale.ROOT,
        "%s%n%d processes, %s%n%n%s%n",
        MachineInfo.ofThisMachine().inOneLine(),
        processes.count(),
        processes.title(),
        sums());
    console.println(means());
    console.flush();
    return 0;
  }

  private String sums() {
    TextTable table = new TextTable("sum of floats", "ms", "GB/s");
    for (int size : SIZES) {
      MemorySegment floats = Arena.ofAuto().allocate((long) Float.BYTES * size, Float.BYTES);
      MemorySegment sums = Arena.ofAuto().allocate(floats.byteSize(), Float.BYTES);
      double millis = median(() -> processes.collective().startSum(floats, sums).await());
      table.row(
          String.format(Locale.ROOT, "%,d", size),
          String.format(Locale.ROOT, "%.3f", millis),
          String.format(Locale.ROOT, "%.3f", floats.byteSize() / millis / 1e6));
    }
    return table.toString();
  }

  private String means() {
    Kernels kernels = Kernels.create(Parallel.serial());
    Parameter parameter = new Parameter("model", FloatMatrix.allocate(1, elements), true);
    long key = new CounterRandom(1).key(processes.collective().rank());
    TextTable table =
        new TextTable(
            String.format(Locale.ROOT, "mean of %,d gradients", elements), "ms", "bytes sent");
    for (Reduction reduction : Reduction.values()) {
      DataParallel.Settings settings =
          new DataParallel.Settings(reduction, 1, DataParallel.Settings.DEFAULT.bucket(), 1);
      for (int i = 0; i < elements; i++) {
        parameter.grad().data()[i] = CounterRandom.uniform(key, i);
      }
      DataParallel parallel =
          new DataParallel(processes.collective(), kernels, List.of(parameter), settings);
      table.row(
          reduction.name(),
          String.format(Locale.ROOT, "%.2f", median(parallel::afterBackward)),
          String.format(Locale.ROOT, "%,d", parallel.bytesPerStep()));
      parallel.close();
    }
    return table.toString();
  }

  /** Of rounds that all processes begin together, after as many to warm up. */
  private double median(Runnable work) {
    double[] millis = new double[rounds];
    for (int round = -rounds; round < rounds; round++) {
      processes.collective().barrier();
      long start = System.nanoTime();
      work.run();
      if (round >= 0) {
        millis[round] = (System.nanoTime() - start) / NANOS_A_MILLI;
      }
    }
    Arrays.sort(millis);
    return millis[rounds / 2];
  }
}
