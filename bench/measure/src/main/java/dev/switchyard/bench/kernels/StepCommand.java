package dev.switchyard.bench.kernels;

import dev.switchyard.bench.kernels.Contest.Turns;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.parallel.Parallel;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code switchyard step}: the time of a training step of one linear layer, ours and others'. */
@Command(
    name = "step",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures a training step of one linear layer, from 32-bit floats to 32-bit floats: output"
          + " with bias, input gradient, weight gradient and bias gradient, with all that the"
          + " precision needs, such as quantizing the input, the weight and the gradient."
          + " Switchyard computes it in SwitchBack (weight gradient in bfloat16), bfloat16 and"
          + " float32, the other libraries on the class path in bfloat16 and float32, in"
          + " interleaved rounds.",
      ""
    })
public final class StepCommand implements Callable<Integer> {
  /** Steps that are in memory at a time: three of ours and three of peers, and one to check. */
  private static final double STEPS = 7;

  @Spec private CommandSpec spec;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "2048",
      description = "Rows of the input: tokens of a batch (default: ${DEFAULT-VALUE}).")
  private int rows;

  @Option(
      names = "--in",
      paramLabel = "N",
      defaultValue = "768",
      description = "Features of the input (default: ${DEFAULT-VALUE}).")
  private int in;

  @Option(
      names = "--out",
      paramLabel = "N",
      defaultValue = "3072",
      description = "Features of the output (default: ${DEFAULT-VALUE}).")
  private int out;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "The backend of Switchyard (default: the fastest that runs here).")
  private String backend;

  @Mixin private MeasuringOptions measuring;

  /** Filled in by picocli. */
  public StepCommand() {}

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    BackendChoice choice;
    try {
      checkOptions();
      choice = backend == null ? BackendChoice.automatic() : BackendChoice.named(backend);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    List<Peer> peers = measuring.peers(err);
    Kernels kernels = Kernels.create(choice, Parallel.ofThreads(measuring.threads));
    List<StepContestant> contestants =
        StepContestant.all(kernels, peers, StepContestant.operands(rows, in, out));
    List<Turns> turns =
        new Contest(measuring.rounds, measuring.threads, err)
            .run(contestants.stream().map(StepContestant::contestant).toList());
    List<StepReport.Result> results = new ArrayList<>();
    for (int i = 0; i < turns.size(); i++) {
      StepContestant contestant = contestants.get(i);
      results.add(
          StepReport.Result.of(contestant.name(), contestant.precision(), turns.get(i).median()));
    }
    StepReport report = new StepReport(rows, in, out, measuring.threads, results);
    String title = String.format(Locale.ROOT, "%d rows, %d to %d features", rows, in, out);
    measuring.print(
        spec.commandLine().getOut(), report, title, report.table(Turns.overFirst(turns)));
    return 0;
  }

  private void checkOptions() {
    MeasuringOptions.checkMatrix("--rows", rows, "--in", in);
    MeasuringOptions.checkMatrix("--rows", rows, "--out", out);
    MeasuringOptions.checkMatrix("--out", out, "--in", in);
    measuring.check();
    double activations = (double) rows * ((double) in + out);
    MeasuringOptions.checkMemory(Float.BYTES * STEPS * (activations + 2.0 * in * out));
  }
}
