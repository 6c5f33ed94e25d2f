package dev.switchyard.bench.kernels;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
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
 * Quantizing a matrix on one thread, against a plain copy of the same matrix; and against a copy
 * that moves as many bytes in all as quantization does, which reads four an element and writes one.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Thread)
public class QuantizeBenchmark {
  /** Rows of the matrix. */
  @Param("2048")
  public int rows;

  /** Its columns. */
  @Param({"768", "3072"})
  public int cols;

  private final Kernels kernels = Kernels.create(Parallel.serial());
  private final QuantizedMatrix byRow = new QuantizedMatrix(Scaling.ROW);
  private final QuantizedMatrix byColumn = new QuantizedMatrix(Scaling.COLUMN);
  private final QuantizedMatrix byTensor = new QuantizedMatrix(Scaling.TENSOR);
  private final Rounding stochastic = Rounding.stochastic(1);
  private FloatMatrix x;
  private float[] copied;
  private byte[] from;
  private byte[] to;

  /** Filled in by JMH. */
  public QuantizeBenchmark() {}

  /** Makes the matrix and the arrays to copy. */
  @Setup
  public void prepare() {
    x = Operands.uniform(rows, cols, 1);
    copied = new float[rows * cols];
    from = new byte[rows * cols * 5 / 2];
    to = new byte[from.length];
  }

  /** A copy of the matrix. */
  @Benchmark
  public float[] copy() {
    System.arraycopy(x.data(), 0, copied, 0, copied.length);
    return copied;
  }

  /** A copy that moves as many bytes as quantization. */
  @Benchmark
  public byte[] copySameTraffic() {
    System.arraycopy(from, 0, to, 0, from.length);
    return to;
  }

  /** One scale a row. */
  @Benchmark
  public QuantizedMatrix byRow() {
    kernels.quantize(x, byRow);
    return byRow;
  }

  /** One scale a column: two passes over the matrix. */
  @Benchmark
  public QuantizedMatrix byColumn() {
    kernels.quantize(x, byColumn);
    return byColumn;
  }

  /** One scale: two passes over the matrix. */
  @Benchmark
  public QuantizedMatrix byTensor() {
    kernels.quantize(x, byTensor);
    return byTensor;
  }

  /** One scale a row, stochastic rounding. */
  @Benchmark
  public QuantizedMatrix byRowStochastic() {
    kernels.quantize(x, stochastic, NonFinitePolicy.REJECT, byRow);
    return byRow;
  }
}
