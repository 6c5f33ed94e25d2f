package dev.switchyard.bench.kernels;

import dev.switchyard.bench.peers.TorchStep;
import dev.switchyard.bench.report.ContestantName;
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
 * Forward and backward of self-attention with its linear layers, ours and by PyTorch's autograd.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Thread)
public class AttentionBenchmark {
  /** sequences x tokens x features; 64 features a head. */
  @Param({"32x49x192", "16x256x384", "8x512x768"})
  public String shape;

  /** A precision, of Switchyard or of PyTorch. */
  @Param({"SWITCHBACK", "BFLOAT16", "FLOAT32", "pytorch BFLOAT16", "pytorch FLOAT32"})
  public String contestant;

  /** Of each. */
  @Param("1")
  public int threads;

  private Supplier<?> work;

  /** Filled in by JMH. */
  public AttentionBenchmark() {}

  /** Makes operands, and checks the result. */
  @Setup
  public void prepare() {
    ContestantName name = ContestantName.of(contestant);
    Kernels kernels = Kernels.create(Parallel.ofThreads(threads));
    SequenceStep ours =
        SequenceStep.of(TorchStep.Layer.ATTENTION, shape, kernels, name.precision());
    work = name.isOurs() ? ours.checked() : ours.peer(name.precision(), threads);
  }

  /** All of the step. */
  @Benchmark
  public Object run() {
    return work.get();
  }
}
