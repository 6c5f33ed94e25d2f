package dev.switchyard.bench.kernels;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
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
 * The forward pass of a conditional layer in SwitchBack, as {@code switchyard coda} measures it.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Thread)
public class CodaBenchmark {
  /** sequences x tokens x features. */
  @Param({"16x256x384", "8x512x768"})
  public String shape;

  /** How many tokens are chosen, and to whom they attend. */
  @Param({
    "dense",
    "r = 3, chosen to all",
    "r = 5, chosen to all",
    "r = 3, chosen to chosen",
    "r = 5, chosen to chosen",
    "dense FLOAT32"
  })
  public String contestant;

  /** Of each. */
  @Param("1")
  public int threads;

  private Runnable work;

  /** Filled in by JMH. */
  public CodaBenchmark() {}

  /** Makes the layer and its input. */
  @Setup
  public void prepare() {
    int[] sizes = Operands.sizes(shape);
    Kernels kernels = Kernels.create(Parallel.ofThreads(threads));
    Sequences batch = Sequences.uniform(sizes[0], sizes[1]);
    work = new CodaLayers(kernels, Precision.SWITCHBACK, sizes[2], batch).named(contestant).work();
  }

  /** All of the batch. */
  @Benchmark
  public void run() {
    work.run();
  }
}
