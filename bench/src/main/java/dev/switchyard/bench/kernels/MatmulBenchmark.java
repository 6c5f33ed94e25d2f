package dev.switchyard.bench.kernels;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;
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
 * The forward product Y = X W^T of a linear layer on one thread: float32, bfloat16 and int8 here,
 * and OpenBLAS sgemm. All take operands as they are stored and pack them on the way, as sgemm does;
 * {@code int8Packed} shows what a weight that is packed once saves.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Thread)
public class MatmulBenchmark {
  /** rows x out features x in features. */
  @Param({"1024x1024x1024", "2048x3072x768", "2048x768x3072"})
  public String shape;

  private final Kernels kernels = Kernels.create(Parallel.serial());
  private FloatMatrix x;
  private FloatMatrix w;
  private FloatMatrix y;
  private QuantizedMatrix xq;
  private QuantizedMatrix wq;
  private PackedMatrix packed;
  private FloatPointer nativeX;
  private FloatPointer nativeW;
  private FloatPointer nativeY;

  /** Filled in by JMH. */
  public MatmulBenchmark() {}

  /** Makes operands, and checks the peer's result against ours before it is timed. */
  @Setup
  public void prepare() {
    String[] sizes = shape.split("x", -1);
    int rows = Integer.parseInt(sizes[0]);
    int out = Integer.parseInt(sizes[1]);
    int in = Integer.parseInt(sizes[2]);
    x = Operands.uniform(rows, in, 1);
    w = Operands.uniform(out, in, 2);
    y = FloatMatrix.allocate(rows, out);
    xq = new QuantizedMatrix(Scaling.ROW);
    wq = new QuantizedMatrix(Scaling.TENSOR);
    kernels.quantize(x, xq);
    kernels.quantize(w, wq);
    packed = new PackedMatrix();
    kernels.pack(ElementType.INT8, Form.NT, wq, packed);
    openblas.blas_set_num_threads(1);
    nativeX = new FloatPointer(x.data());
    nativeW = new FloatPointer(w.data());
    nativeY = new FloatPointer((long) rows * out);

    float[] expected = float32().data().clone();
    Operands.checkEqual("OpenBLAS on arrays", openblasOnArrays().data(), expected, 1e-4 * in);
    openblas().get(y.data());
    Operands.checkEqual("OpenBLAS", y.data(), expected, 1e-4 * in);
    Operands.checkEqual("int8", int8().data(), expected, 2e-2 * Math.sqrt(in));
  }

  /** float32. */
  @Benchmark
  public FloatMatrix float32() {
    kernels.multiply(ElementType.FLOAT32, Form.NT, x, w, Epilogue.STORE, y);
    return y;
  }

  /** Operands rounded to bfloat16 on the way. */
  @Benchmark
  public FloatMatrix bfloat16() {
    kernels.multiply(ElementType.BFLOAT16, Form.NT, x, w, Epilogue.STORE, y);
    return y;
  }

  /** int8 operands. */
  @Benchmark
  public FloatMatrix int8() {
    kernels.multiply(ElementType.INT8, Form.NT, xq, wq, Epilogue.STORE, y);
    return y;
  }

  /** int8 operands, the weight packed before. */
  @Benchmark
  public FloatMatrix int8Packed() {
    kernels.multiply(xq, packed, Epilogue.STORE, y);
    return y;
  }

  /** The peer at its best: operands in native memory. */
  @Benchmark
  public FloatPointer openblas() {
    openblas.cblas_sgemm(
        openblas.CblasRowMajor,
        openblas.CblasNoTrans,
        openblas.CblasTrans,
        x.rows(),
        w.rows(),
        x.cols(),
        1,
        nativeX,
        x.rowStride(),
        nativeW,
        w.rowStride(),
        0,
        nativeY,
        y.rowStride());
    return nativeY;
  }

  /** The peer on the arrays that our kernels work on, which its binding copies out and back. */
  @Benchmark
  public FloatMatrix openblasOnArrays() {
    openblas.cblas_sgemm(
        openblas.CblasRowMajor,
        openblas.CblasNoTrans,
        openblas.CblasTrans,
        x.rows(),
        w.rows(),
        x.cols(),
        1,
        x.data(),
        x.rowStride(),
        w.data(),
        w.rowStride(),
        0,
        y.data(),
        y.rowStride());
    return y;
  }
}
