package dev.switchyard.bench.kernels;

import dev.switchyard.bench.peers.PeerProduct;
import dev.switchyard.bench.peers.Peers;
import dev.switchyard.bench.report.ContestantName;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
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
 * The forward product Y = X W^T + bias of a linear layer with a weight packed before, operands as
 * they are in memory: int8 has one scale a row here, one in all with peers. EJML and ojAlgo, in
 * plain Java, are the floor.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Thread)
public class MatmulBenchmark {
  /** rows x out features x in features. */
  @Param({
    "1024x1024x1024",
    "2048x3072x768",
    "2048x768x3072",
    "4096x1280x1280",
    "4096x5120x1280",
    "4096x1280x5120",
    "512x384x384",
    "512x1536x384",
    "64x768x768",
    "1021x769x511"
  })
  public String shape;

  /** A type of products, of Switchyard or of a peer. */
  @Param({
    "INT8",
    "BFLOAT16",
    "FLOAT32",
    "onednn INT8",
    "onednn BFLOAT16",
    "onednn FLOAT32",
    "openblas FLOAT32",
    "pytorch FLOAT32",
    "ejml FLOAT32",
    "ojalgo FLOAT32"
  })
  public String contestant;

  /** Of each. */
  @Param("1")
  public int threads;

  private Supplier<?> work;

  /** Filled in by JMH. */
  public MatmulBenchmark() {}

  /** Makes operands, and checks the result. */
  @Setup
  public void prepare() {
    ContestantName name = ContestantName.of(contestant);
    ElementType type = ElementType.valueOf(name.type());
    MatmulOperands operands = MatmulOperands.of(shape);
    Kernels kernels = Kernels.create(Parallel.ofThreads(threads));
    if (name.isOurs()) {
      work = product(kernels, type, operands, operands.left(type))::run;
      return;
    }
    Matrix x = operands.leftOfPeer(type);
    PeerProduct product =
        Peers.load(name.library(), threads).product(type, x, operands.right(type), operands.bias());
    double tolerance = Operands.tolerance(ElementType.FLOAT32, operands.k());
    product(kernels, type, operands, x).check(contestant, product, tolerance);
    work =
        () -> {
          product.run();
          return product;
        };
  }

  private static PackedProduct product(
      Kernels kernels, ElementType type, MatmulOperands operands, Matrix x) {
    FloatMatrix y = FloatMatrix.allocate(operands.m(), operands.n());
    return new PackedProduct(kernels, type, x, operands.right(type), operands.bias(), y);
  }

  /** The product. */
  @Benchmark
  public Object run() {
    return work.get();
  }
}
