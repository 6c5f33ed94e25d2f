package dev.switchyard.bench.kernels;

import dev.switchyard.bench.peers.LinearOperands;
import dev.switchyard.bench.peers.LinearStep;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The training step of a linear layer, ours and that of peers, as {@code switchyard step} measures
 * it.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Thread)
public class StepBenchmark {
  /** rows x in features x out features. */
  @Param({
    "2048x768x3072",
    "2048x3072x768",
    "2048x1280x5120",
    "2048x5120x1280",
    "8192x768x3072",
    "8192x3072x768",
    "8192x1280x5120",
    "8192x5120x1280"
  })
  public String shape;

  /** A precision, of Switchyard or of a peer. */
  @Param({
    "SWITCHBACK",
    "BFLOAT16",
    "FLOAT32",
    "onednn BFLOAT16",
    "onednn FLOAT32",
    "openblas FLOAT32",
    "pytorch FLOAT32"
  })
  public String contestant;

  /** Of each. */
  @Param("1")
  public int threads;

  private LinearStep work;

  /** Filled in by JMH. */
  public StepBenchmark() {}

  /** Makes operands, and checks the result. */
  @Setup
  public void prepare() {
    int[] sizes = Operands.sizes(shape);
    LinearOperands operands = StepContestant.operands(sizes[0], sizes[1], sizes[2]);
    Kernels kernels = Kernels.create(Parallel.ofThreads(threads));
    StepContestant chosen = StepContestant.named(contestant, kernels, operands);
    chosen.check(StepContestant.expected(kernels, operands), operands);
    work = chosen.step();
  }

  /** All of the step. */
  @Benchmark
  public LinearStep run() {
    work.run();
    return work;
  }
}
