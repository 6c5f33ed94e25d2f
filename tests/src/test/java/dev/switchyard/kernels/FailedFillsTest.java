package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.data.SparseMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * An operand whose filling failed, here because the executor has no memory for a thread, is refused
 * until it is filled: it would multiply with what it held before, or with zeros.
 */
class FailedFillsTest {
  private static final int N = 512;

  /** An array of so many floats takes 8 GB. */
  private static final int MOST = Integer.MAX_VALUE - 1024;

  private final Threads threads = new Threads();
  private final FloatMatrix ones = Matrices.gaussian(N, N, 1);
  private final FloatMatrix row = Matrices.gaussian(1, N, 2);
  private final FloatMatrix c = FloatMatrix.allocate(1, N);

  static List<String> backends() {
    return Setup.BACKENDS;
  }

  @ParameterizedTest
  @MethodSource("backends")
  void packing(String backend) {
    Kernels kernels = Setup.on(backend, Parallel.over(threads, 2));
    PackedMatrix panels = new PackedMatrix();
    for (int packedBefore = 0; packedBefore < 2; packedBefore++) {
      assertFails(() -> kernels.pack(ElementType.FLOAT32, Form.NT, ones, panels));

      assertRefused(
          () -> kernels.multiply(row, panels, Epilogue.STORE, c), "packed matrix 512x512");
      kernels.pack(ElementType.FLOAT32, Form.NT, ones, panels);
      kernels.multiply(row, panels, Epilogue.STORE, c);
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void quantizingAndPackingAtOnce(String backend) {
    Kernels kernels = Setup.on(backend, Parallel.over(threads, 2));
    QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
    QuantizedMatrix left = new QuantizedMatrix(Scaling.ROW);
    kernels.quantize(row, left);
    PackedMatrix forward = new PackedMatrix();
    PackedMatrix backward = new PackedMatrix();
    kernels.quantizeAndPack(ones, NonFinitePolicy.REJECT, q, forward, backward);

    threads.failAfter = 1; // the search for the scale passes
    assertFails(() -> kernels.quantizeAndPack(ones, NonFinitePolicy.REJECT, q, forward, backward));

    assertRefused(() -> kernels.dequantize(q, ones), "quantized matrix 512x512");
    for (PackedMatrix panels : List.of(forward, backward)) {
      assertRefused(
          () -> kernels.multiply(left, panels, Epilogue.STORE, c), "packed matrix 512x512");
    }
  }

  /** No memory even to begin: what was there before is not taken for what should be there. */
  @Test
  void beginning() {
    Kernels kernels = Setup.on("reference", Parallel.serial());
    QuantizedMatrix q = new QuantizedMatrix(Scaling.COLUMN);
    kernels.quantize(row, q);
    assertThatThrownBy(() -> q.beginFill(0, MOST)).isInstanceOf(OutOfMemoryError.class);
    assertRefused(() -> kernels.dequantize(q, row), "quantized matrix 1x512");
    assertRefused(() -> q.get(0, 0), "quantized matrix 1x512");
    assertRefused(() -> q.scale(0, 0), "quantized matrix 1x512");

    SparseMatrix outliers = new SparseMatrix();
    kernels.outliers().split(row, 1, outliers, FloatMatrix.allocate(1, N));
    assertThatThrownBy(() -> outliers.beginFill(MOST, 1)).isInstanceOf(OutOfMemoryError.class);
    assertRefused(outliers::requireFilled, "sparse matrix 1x512");
  }

  private void assertFails(Runnable fill) {
    threads.fail = true;
    assertThatThrownBy(fill::run).isInstanceOf(OutOfMemoryError.class);
    threads.fail = false;
  }

  private static void assertRefused(Runnable use, String what) {
    assertThatThrownBy(use::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith(what + " holds no values: ");
  }

  /** Runs what it is given at once, unless it is told to fail. */
  private static final class Threads extends EndlessExecutor {
    boolean fail;
    int failAfter;

    @Override
    public void execute(Runnable task) {
      if (fail && failAfter-- <= 0) {
        throw new OutOfMemoryError("unable to create native thread");
      }
      task.run();
    }
  }
}
