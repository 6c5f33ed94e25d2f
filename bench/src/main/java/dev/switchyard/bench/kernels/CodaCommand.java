package dev.switchyard.bench.kernels;

import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.kernels.Contest.Contestant;
import dev.switchyard.bench.kernels.Contest.Turn;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.PostNormBlock;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.coda.ConditionalAdapter;
import dev.switchyard.layers.coda.HeavyAttention;
import dev.switchyard.layers.coda.RouterKind;
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
  private static final int FEATURES_A_HEAD = 32;
  private static final int EXPANSION = 4;

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
        "Of the linear layers (default: ${DEFAULT-VALUE}).",
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
    List<Contestant> contestants = contestants(kernels);
    PrintWriter err = spec.commandLine().getErr();
    List<Turn> turns = new Contest(measuring.rounds, measuring.threads, err).run(contestants);
    List<CodaReport.Result> results = new ArrayList<>();
    for (int i = 0; i < turns.size(); i++) {
      results.add(CodaReport.Result.of(contestants.get(i).name(), turns.get(i)));
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
    measuring.print(spec.commandLine().getOut(), report, title, report.table());
    return 0;
  }

  private void checkOptions() {
    OptionRange.require("--features", features, 1 << 14);
    if (features % FEATURES_A_HEAD != 0) {
      throw new IllegalArgumentException(
          "--features is " + features + " (expected a multiple of " + FEATURES_A_HEAD + ")");
    }
    OptionRange.require("--tokens", tokens, 1 << 16);
    OptionRange.require("--sequences", sequences, 1 << 16);
    measuring.check();
    double rows = (double) tokens * sequences;
    if (rows * features * EXPANSION > Integer.MAX_VALUE / 4.0) {
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
        Float.BYTES * MATRICES * (rows * features + (double) features * features * EXPANSION) * 8);
  }

  private List<Contestant> contestants(Kernels kernels) {
    List<Contestant> all = new ArrayList<>();
    CodaOptions dense =
        CodaOptions.of(1, precision)
            .withRouter(RouterKind.ALL)
            .withAttention(HeavyAttention.CHOSEN_TO_CHOSEN);
    all.add(contestant(kernels, "dense", precision, dense));
    for (HeavyAttention attention : HeavyAttention.values()) {
      for (int reduction : new int[] {3, 5}) {
        String name =
            String.format(
                Locale.ROOT,
                "r = %d, %s",
                reduction,
                attention.name().toLowerCase(Locale.ROOT).replace('_', ' '));
        CodaOptions options = CodaOptions.of(reduction, precision).withAttention(attention);
        all.add(contestant(kernels, name, precision, options));
      }
    }
    CodaOptions nearlyAll =
        CodaOptions.of(1.05, precision).withAttention(HeavyAttention.CHOSEN_TO_CHOSEN);
    all.add(contestant(kernels, "r = 1.05, chosen to chosen", precision, nearlyAll));
    if (precision != Precision.FLOAT32) {
      CodaOptions float32 =
          CodaOptions.of(1, Precision.FLOAT32)
              .withRouter(RouterKind.ALL)
              .withAttention(HeavyAttention.CHOSEN_TO_CHOSEN);
      all.add(contestant(kernels, "dense FLOAT32", Precision.FLOAT32, float32));
    }
    return all;
  }

  private Contestant contestant(
      Kernels kernels, String name, Precision ofBlock, CodaOptions options) {
    CounterRandom random = new CounterRandom(1);
    PostNormBlock block =
        new PostNormBlock(
            "block", features, features / FEATURES_A_HEAD, EXPANSION * features, ofBlock, random);
    ConditionalAdapter layer = new ConditionalAdapter("coda", block, options, random.split(9));
    Sequences batch = Sequences.uniform(sequences, tokens);
    FloatMatrix x = FloatMatrix.allocate(batch.tokens(), features);
    long key = random.key(1);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = CounterRandom.gaussian(key, i);
    }
    Profile profile = new Profile();
    Tape tape = Tape.inference(kernels, profile);
    return new Contestant(
        name,
        profile,
        () -> {
          layer.forward(tape, Tensor.of(x), batch);
          tape.reset();
        });
  }
}
