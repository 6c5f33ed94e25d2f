package dev.switchyard.bench.suites;

import dev.switchyard.bench.encoders.EncoderBenchmark;
import dev.switchyard.bench.kernels.AttentionBenchmark;
import dev.switchyard.bench.kernels.BlockBenchmark;
import dev.switchyard.bench.kernels.CodaBenchmark;
import dev.switchyard.bench.kernels.ContestantName;
import dev.switchyard.bench.kernels.MatmulBenchmark;
import dev.switchyard.bench.kernels.OptimizerBenchmark;
import dev.switchyard.bench.kernels.QuantizeBenchmark;
import dev.switchyard.bench.kernels.StepBenchmark;
import dev.switchyard.bench.kernels.SweepBenchmark;
import dev.switchyard.bench.peers.Peer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Param;

/** A benchmark that contestants take part in, over some shapes. */
public enum Suite {
  /** {@link MatmulBenchmark}. */
  MULTIPLY(
      MatmulBenchmark.class,
      "Products",
      "Y = X Wᵀ + bias with the weight packed before: rows x out features x in features."),
  /** {@link QuantizeBenchmark}. */
  QUANTIZE(QuantizeBenchmark.class, "Quantizing", "A matrix to int8: rows x columns."),
  /** {@link StepBenchmark}. */
  STEP(
      StepBenchmark.class,
      "Training step of a linear layer",
      "Forward and all gradients, from 32-bit floats to 32-bit floats: rows x in features x out"
          + " features."),
  /** {@link SweepBenchmark}. */
  SWEEP(
      SweepBenchmark.class,
      "Where SwitchBack begins to pay",
      "The training step of a linear layer with as many features in as out: rows x features."),
  /** {@link BlockBenchmark}. */
  BLOCK(
      BlockBenchmark.class,
      "Training step of a transformer block",
      "Forward and backward: sequences x tokens x features. PyTorch's bfloat16 is autocast."),
  /** {@link AttentionBenchmark}. */
  ATTENTION(
      AttentionBenchmark.class,
      "Training step of self-attention",
      "Forward and backward with its linear layers: sequences x tokens x features."),
  /** {@link CodaBenchmark}. */
  CODA(
      CodaBenchmark.class,
      "Conditional layers",
      "Forward pass of a block with a conditional adapter: sequences x tokens x features."),
  /** {@link EncoderBenchmark}. */
  ENCODER(
      EncoderBenchmark.class,
      "Inference of an encoder",
      "Texts a second by all-MiniLM-L6-v2: tokens of a text."),
  /** {@link OptimizerBenchmark}. */
  OPTIMIZER(
      OptimizerBenchmark.class, "Optimizers", "A step over one matrix of parameters: its shape.");

  private static final Pattern SIZES = Pattern.compile("[1-9]\\d{0,8}(x[1-9]\\d{0,8})*");

  private final Class<?> benchmark;
  private final String title;
  private final String about;

  Suite(Class<?> benchmark, String title, String about) {
    this.benchmark = benchmark;
    this.title = title;
    this.about = about;
  }

  /** The suite of a JMH benchmark, given as {@code package.Class.method}. */
  public static Optional<Suite> ofBenchmark(String name) {
    return Arrays.stream(values()).filter(suite -> suite.method().equals(name)).findFirst();
  }

  /** The name for JMH. */
  String method() {
    return benchmark.getName() + ".run";
  }

  /** The name on the command line and in file names. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The file that results are in. */
  public String fileName() {
    return key() + ".json";
  }

  /** A heading. */
  public String title() {
    return title;
  }

  /** What is measured, and how its shapes read. */
  public String about() {
    return about;
  }

  /** The shapes that it has by default. */
  List<String> shapes() {
    return parameter("shape");
  }

  /** Whether it can have a shape: one of its own, or other sizes of as many dimensions. */
  boolean takes(String shape) {
    String own = shapes().getFirst();
    return shapes().contains(shape)
        || (SIZES.matcher(shape).matches() && dimensions(shape) == dimensions(own));
  }

  private static long dimensions(String shape) {
    return shape.chars().filter(c -> c == 'x').count();
  }

  /** The contestants that can take part here. */
  List<String> contestants(List<Peer> peers) {
    boolean products = this == MULTIPLY || this == STEP || this == SWEEP;
    return parameter("contestant").stream()
        .filter(name -> ContestantName.of(name).isAmong(peers, products))
        .toList();
  }

  private List<String> parameter(String field) {
    try {
      return List.of(benchmark.getField(field).getAnnotation(Param.class).value());
    } catch (NoSuchFieldException e) {
      throw new AssertionError(e);
    }
  }
}
