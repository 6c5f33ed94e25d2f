package dev.switchyard.bench.kernels;

import dev.switchyard.bench.kernels.MatmulComparison.Rates;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.data.ElementType;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code switchyard matmul}: the speed of one product, ours and that of others. */
@Command(
    name = "matmul",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures Y = X W^T + bias, X [m, k] and W [n, k], with the weight packed before: each"
          + " backend of Switchyard that runs here, and each other library on the class path, in"
          + " interleaved rounds. All take operands of the same type and give 32-bit floats.",
      ""
    })
public final class MatmulCommand implements Callable<Integer> {
  /** Up to this many multiply-adds, the reference backend takes part unasked. */
  private static final double MOST_FOR_REFERENCE = 2e8;

  /** The types by the names that users know. */
  enum Type {
    INT8(ElementType.INT8),
    BF16(ElementType.BFLOAT16),
    F32(ElementType.FLOAT32);

    private final ElementType element;

    Type(ElementType element) {
      this.element = element;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Spec private CommandSpec spec;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "INT8",
      description = "int8, bf16 or f32: the type of the operands (default: int8).")
  private Type type;

  @Option(names = "-m", paramLabel = "N", required = true, description = "Rows of X and Y.")
  private int m;

  @Option(names = "-n", paramLabel = "N", required = true, description = "Rows of W: columns of Y.")
  private int n;

  @Option(names = "-k", paramLabel = "N", required = true, description = "Columns of X and W.")
  private int k;

  @Option(
      names = "--backend",
      split = ",",
      paramLabel = "NAME",
      description =
          "Backends to measure, separated by commas (default: all that run here, the reference"
              + " only if the product is small).")
  private List<String> backends;

  @Mixin private MeasuringOptions measuring;

  /** Filled in by picocli. */
  public MatmulCommand() {}

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    List<BackendChoice> choices;
    try {
      checkOptions();
      choices = choices(err::println);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    List<Peer> peers = measuring.peers(err);
    for (Peer peer : peers) {
      if (!peer.types().contains(type.element)) {
        err.printf(
            Locale.ROOT, "%s is left out: it has no exact %s product here%n", peer.name(), type);
      }
    }
    MatmulComparison comparison =
        new MatmulComparison(
            type.element, MatmulOperands.of(m, n, k), measuring.threads, choices, peers);
    Rates rates = comparison.run(new Contest(measuring.rounds, measuring.threads, err));
    print(rates);
    return 0;
  }

  private void checkOptions() {
    MeasuringOptions.checkMatrix("-m", m, "-k", k);
    MeasuringOptions.checkMatrix("-n", n, "-k", k);
    MeasuringOptions.checkMatrix("-m", m, "-n", n);
    measuring.check();
    MeasuringOptions.checkMemory(
        8.0 * Float.BYTES * ((double) m * n + (double) n * k) + 3.0 * Float.BYTES * m * k);
  }

  private List<BackendChoice> choices(Consumer<String> leftOut) {
    if (backends != null) {
      return backends.stream().map(BackendChoice::named).toList();
    }
    List<BackendChoice> available = new ArrayList<>(Backends.available(leftOut));
    if ((double) m * n * k >= MOST_FOR_REFERENCE && available.size() > 1) {
      available.removeIf(choice -> choice.name().equals(Backends.REFERENCE));
    }
    return available;
  }

  private void print(Rates rates) {
    MatmulReport report = MatmulReport.of(type.toString(), m, n, k, measuring.threads, rates);
    String title =
        String.format(
            Locale.ROOT,
            "%s, %dx%d by %dx%d transposed; peak %.0f Gop/s (%s)",
            type,
            m,
            k,
            n,
            k,
            report.peakGops(),
            rates.peak().isPresent() ? "the dot instruction on registers" : "the best of these");
    measuring.print(spec.commandLine().getOut(), report, title, report.table(rates.overFirst()));
  }
}
