package dev.switchyard.bench.suites;

import dev.switchyard.bench.encoders.EncoderBenchmark;
import dev.switchyard.bench.kernels.AttentionBenchmark;
import dev.switchyard.bench.kernels.BlockBenchmark;
import dev.switchyard.bench.kernels.CodaBenchmark;
import dev.switchyard.bench.kernels.MatmulBenchmark;
import dev.switchyard.bench.kernels.OptimizerBenchmark;
import dev.switchyard.bench.kernels.QuantizeBenchmark;
import dev.switchyard.bench.kernels.StepBenchmark;
import dev.switchyard.bench.kernels.SweepBenchmark;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.bench.report.ContestantName;
import dev.switchyard.bench.report.Suite;
import dev.switchyard.kernels.data.ElementType;
import java.util.List;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Param;

/** The JMH benchmark of a suite: its shapes, and who takes part in it. */
final class SuiteBenchmark {
  private static final Pattern SIZES = Pattern.compile("[1-9]\\d{0,8}(x[1-9]\\d{0,8})*");

  private final Suite suite;
  private final Class<?> benchmark;

  SuiteBenchmark(Suite suite) {
    this.suite = suite;
    this.benchmark =
        switch (suite) {
          case MULTIPLY -> MatmulBenchmark.class;
          case QUANTIZE -> QuantizeBenchmark.class;
          case STEP -> StepBenchmark.class;
          case SWEEP -> SweepBenchmark.class;
          case BLOCK -> BlockBenchmark.class;
          case ATTENTION -> AttentionBenchmark.class;
          case CODA -> CodaBenchmark.class;
          case ENCODER -> EncoderBenchmark.class;
          case OPTIMIZER -> OptimizerBenchmark.class;
        };
  }

  /** The name for JMH. */
  String method() {
    return benchmark.getName() + ".run";
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
    return parameter("contestant").stream()
        .filter(name -> isAmong(peers, ContestantName.of(name)))
        .toList();
  }

  /** Not every CPU has products in every type. */
  private boolean isAmong(List<Peer> peers, ContestantName name) {
    boolean products = suite == Suite.MULTIPLY || suite == Suite.STEP || suite == Suite.SWEEP;
    return name.isOurs()
        || peers.stream()
            .filter(peer -> peer.name().equals(name.library()))
            .anyMatch(peer -> !products || peer.types().contains(ElementType.valueOf(name.type())));
  }

  private List<String> parameter(String field) {
    try {
      return List.of(benchmark.getField(field).getAnnotation(Param.class).value());
    } catch (NoSuchFieldException e) {
      throw new AssertionError(e);
    }
  }
}
