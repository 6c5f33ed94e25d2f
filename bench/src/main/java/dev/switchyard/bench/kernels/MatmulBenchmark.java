package dev.switchyard.bench.kernels;

import dev.switchyard.bench.peers.Peer;
import dev.switchyard.bench.peers.PeerProduct;
import dev.switchyard.bench.peers.Peers;
import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
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
 * The forward product Y = X W^T + bias of a linear layer on one thread, with a weight packed once:
 * int8, bfloat16 and float32 here, and the same of the peers, each checked against ours before it
 * is timed. {@code float32Unpacked} packs the weight on the way, as sgemm does.
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

  /** The backend of our products. */
  @Param("x86")
  public String backend;

  private MatmulOperands operands;
  private Kernels kernels;
  private FloatMatrix y;
  private PackedProduct int8;
  private PackedProduct bfloat16;
  private PackedProduct bfloat16FromBfloat16;
  private PackedProduct float32;
  private PeerProduct onednnInt8;
  private PeerProduct onednnBfloat16;
  private PeerProduct onednnFloat32;
  private PeerProduct openblasFloat32;

  /** Filled in by JMH. */
  public MatmulBenchmark() {}

  /** Makes operands, packs weights, and checks the peers' results against ours. */
  @Setup
  public void prepare() {
    operands = MatmulOperands.of(shape);
    kernels = Kernels.create(BackendChoice.named(backend), Parallel.serial());
    y = FloatMatrix.allocate(operands.m(), operands.n());
    int8 = ours(ElementType.INT8, operands.left(ElementType.INT8));
    bfloat16 = ours(ElementType.BFLOAT16, operands.x());
    bfloat16FromBfloat16 = ours(ElementType.BFLOAT16, operands.left(ElementType.BFLOAT16));
    float32 = ours(ElementType.FLOAT32, operands.x());
    onednnInt8 = peer("onednn", ElementType.INT8);
    onednnBfloat16 = peer("onednn", ElementType.BFLOAT16);
    onednnFloat32 = peer("onednn", ElementType.FLOAT32);
    openblasFloat32 = peer("openblas", ElementType.FLOAT32);
  }

  private PackedProduct ours(ElementType type, Matrix x) {
    return new PackedProduct(kernels, type, x, operands.right(type), operands.bias(), y);
  }

  private PeerProduct peer(String name, ElementType type) {
    Peer peer = Peers.load(name, 1);
    Matrix x = operands.leftOfPeer(type);
    double tolerance = Operands.tolerance(ElementType.FLOAT32, operands.k());
    return ours(type, x)
        .checked(name, peer.product(type, x, operands.right(type), operands.bias()), tolerance);
  }

  /** int8 operands, one scale for each row of X. */
  @Benchmark
  public FloatMatrix int8() {
    return int8.run();
  }

  /** bfloat16, X given in float32 as a layer has it, and rounded on the way. */
  @Benchmark
  public FloatMatrix bfloat16() {
    return bfloat16.run();
  }

  /** bfloat16, X given in bfloat16 as oneDNN takes it. */
  @Benchmark
  public FloatMatrix bfloat16FromBfloat16() {
    return bfloat16FromBfloat16.run();
  }

  /** float32. */
  @Benchmark
  public FloatMatrix float32() {
    return float32.run();
  }

  /** float32, the weight as it is stored. */
  @Benchmark
  public FloatMatrix float32Unpacked() {
    Matrix x = operands.x();
    Epilogue bias = Epilogue.bias(operands.bias());
    kernels.multiply(ElementType.FLOAT32, Form.NT, x, operands.w(), bias, y);
    return y;
  }

  /** oneDNN int8, one scale for all of X. */
  @Benchmark
  public PeerProduct onednnInt8() {
    onednnInt8.run();
    return onednnInt8;
  }

  /** oneDNN bfloat16. */
  @Benchmark
  public PeerProduct onednnBfloat16() {
    onednnBfloat16.run();
    return onednnBfloat16;
  }

  /** oneDNN float32. */
  @Benchmark
  public PeerProduct onednnFloat32() {
    onednnFloat32.run();
    return onednnFloat32;
  }

  /** OpenBLAS float32. */
  @Benchmark
  public PeerProduct openblasFloat32() {
    openblasFloat32.run();
    return openblasFloat32;
  }
}
