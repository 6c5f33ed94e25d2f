package dev.switchyard.bench.kernels;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
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
 * A step of an optimizer over one matrix of parameters, with the gradient given; against a copy
 * that moves as many bytes as AdamW, which reads four numbers a parameter and writes three.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Thread)
public class OptimizerBenchmark {
  /** rows x columns of the parameter. */
  @Param({"1000x1000", "4000x4000"})
  public String shape;

  /** An optimizer, of Switchyard or of PyTorch, or a copy. */
  @Param({"ADAMW", "STABLE_ADAMW", "pytorch ADAMW", "COPY OF AS MANY BYTES"})
  public String contestant;

  /** Of each. */
  @Param("1")
  public int threads;

  private Supplier<?> work;

  /** Filled in by JMH. */
  public OptimizerBenchmark() {}

  /** Makes operands, and checks the result. */
  @Setup
  public void prepare() {
    work = OptimizerStep.named(contestant, shape, Kernels.create(Parallel.ofThreads(threads)));
  }

  /** A step. */
  @Benchmark
  public Object run() {
    return work.get();
  }
}
