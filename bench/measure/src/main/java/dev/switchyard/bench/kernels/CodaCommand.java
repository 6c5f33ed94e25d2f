package dev.switchyard.bench.kernels;

import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.kernels.Contest.Contestant;
import dev.switchyard.bench.kernels.Contest.Turns;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
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

/** {@code switchyard coda}: the time of a conditional layer, against the dense one. */
@Command(
    name = "coda",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures the forward pass of one transformer block with conditional adapters that choose"
          + " every third or fifth token, against the same block with a parallel adapter that"
          + " computes all of them, in interleaved rounds.",
      ""
    })
public final class CodaCommand implements Callable<Integer> {

  /** Activations of a block and its scratch, in rows of features, and four copies of weights. */
  private static final double MATRICES = 12;

  @Spec private CommandSpec spec;

  @Option(
      names = "--features",
      paramLabel = "N",
      defaultValue = "384",
      description = "Features of a token, a multiple of 32 (default: ${DEFAULT-VALUE}).")
  private int features;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "256",
      description = "Tokens of a sequence (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--sequences",
      paramLabel = "N",
      defaultValue = "16",
      description = "Sequences of a batch (default: ${DEFAULT-VALUE}).")
  private int sequences;

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      defaultValue = "SWITCHBACK",
      description = {
        "Precision of the linear layers (default: ${DEFAULT-VALUE}).",
        "Any of ${COMPLETION-CANDIDATES}."
      })
  private Precision precision;

  @Mixin private MeasuringOptions measuring;

  /** Filled in by picocli. */
  public CodaCommand() {}

  @Override
  public Integer call() {
    try {
      checkOptions();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    Kernels kernels = Kernels.create(Parallel.ofThreads(measuring.threads));
    List<Contestant> contestants =
        new CodaLayers(kernels, precision, features, Sequences.uniform(sequences, tokens)).all();
    PrintWriter err = spec.commandLine().getErr();
    List<Turns> turns = new Contest(measuring.rounds, measuring.threads, err).run(contestants);
    List<CodaReport.Result> results = new ArrayList<>();
    for (int i = 0; i < turns.size(); i++) {
      results.add(CodaReport.Result.of(contestants.get(i).name(), turns.get(i).median()));
    }
    CodaReport report =
        new CodaReport(features, tokens, sequences, precision.name(), measuring.threads, results);
    String title =
        String.format(
            Locale.ROOT,
            "%d sequences of %d tokens, %d features, %s",
            sequences,
            tokens,
            features,
            precision);
    measuring.print(
        spec.commandLine().getOut(), report, title, report.table(Turns.overFirst(turns)));
    return 0;
  }

  private void checkOptions() {
    OptionRange.require("--features", features, 1 << 14);
    if (features % CodaLayers.FEATURES_A_HEAD != 0) {
      throw new IllegalArgumentException(
          "--features is "
              + features
              + " (expected a multiple of "
              + CodaLayers.FEATURES_A_HEAD
              + ")");
    }
    OptionRange.require("--tokens", tokens, 1 << 16);
    OptionRange.require("--sequences", sequences, 1 << 16);
    measuring.check();
    double rows = (double) tokens * sequences;
    if (rows * features * CodaLayers.EXPANSION > Integer.MAX_VALUE / 4.0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d sequences of %d tokens with %d features are too many (expected at most %,d"
                  + " numbers in a hidden layer)",
              sequences,
              tokens,
              features,
              Integer.MAX_VALUE / 4));
    }
    MeasuringOptions.checkMemory(
        Float.BYTES
            * MATRICES
            * (rows * features + (double) features * features * CodaLayers.EXPANSION)
            * 8);
  }
}
