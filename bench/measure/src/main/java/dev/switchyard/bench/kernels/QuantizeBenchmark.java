package dev.switchyard.bench.kernels;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
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
 * Quantizing a matrix, against a copy of the same matrix; and against a copy that moves as many
 * bytes in all as quantization does, which reads four an element and writes one.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Thread)
public class QuantizeBenchmark {
  /** rows x columns. */
  @Param({"2048x768", "2048x3072"})
  public String shape;

  /** One scale a row, a column or in all, or a copy. */
  @Param({"ROW", "COLUMN", "TENSOR", "ROW STOCHASTIC", "COPY", "COPY OF AS MANY BYTES"})
  public String contestant;

  /** Of each. */
  @Param("1")
  public int threads;

  private Supplier<?> work;

  /** Filled in by JMH. */
  public QuantizeBenchmark() {}

  /** Makes operands. */
  @Setup
  public void prepare() {
    int[] sizes = Operands.sizes(shape);
    FloatMatrix x = Operands.uniform(sizes[0], sizes[1], 1);
    Kernels kernels = Kernels.create(Parallel.ofThreads(threads));
    work =
        switch (contestant) {
          case "COPY" -> copy(x.data(), new float[x.data().length], x.data().length);
          case "COPY OF AS MANY BYTES" -> {
            int half = x.data().length / 2 * 5;
            yield copy(new byte[half], new byte[half], half);
          }
          case "ROW STOCHASTIC" -> quantize(kernels, x, Scaling.ROW, Rounding.stochastic(1));
          default -> quantize(kernels, x, Scaling.valueOf(contestant), Rounding.NEAREST_EVEN);
        };
  }

  private static Supplier<?> copy(Object from, Object to, int length) {
    return () -> {
      System.arraycopy(from, 0, to, 0, length);
      return to;
    };
  }

  private static Supplier<?> quantize(
      Kernels kernels, FloatMatrix x, Scaling scaling, Rounding rounding) {
    QuantizedMatrix quantized = new QuantizedMatrix(scaling);
    return () -> {
      kernels.quantize(x, rounding, NonFinitePolicy.REJECT, quantized);
      return quantized;
    };
  }

  /** All of the matrix. */
  @Benchmark
  public Object run() {
    return work.get();
  }
}
