package dev.switchyard.kernels.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.ElementwiseKernel;
import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.backend.QuantizeKernel;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Shapes near 2^31, which need no memory as there are no elements, or a kernel that only notes. */
@Timeout(60)
class LargestShapesTest {
  private static final int MOST = Integer.MAX_VALUE;

  private record Block(long begin, long end) {}

  /** They follow one another from 0 on, none is empty, and all but the last suit the grain. */
  private static void assertCover(List<Block> blocks, int extent, int grain) {
    List<Block> sorted = new ArrayList<>(blocks);
    sorted.sort(Comparator.comparingLong(Block::begin));
    long at = 0;
    for (Block block : sorted) {
      assertThat(block.begin()).isEqualTo(at);
      assertThat(block.end()).isGreaterThan(at);
      assertThat(block.end() % grain == 0 || block.end() == extent).isTrue();
      at = block.end();
    }
    assertThat(at).isEqualTo(extent);
  }

  @ParameterizedTest
  @CsvSource({
    "2147483647, 1, 1",
    "2147483647, 2147483647, 1",
    "2147483647, 1, 32",
    "2147483647, 3, 1000",
    "2147483646, 1, 1073741824",
    "1900000000, 1, 16",
    "1, 2147483647, 1",
    "100000, 1, 7",
    "5, 100000, 2147483647"
  })
  void tasksCoverAllRows(int rows, int elementsARow, int grain) {
    for (int threads : new int[] {1, 2, 7, 1000, MOST}) {
      List<Block> blocks = Collections.synchronizedList(new ArrayList<>());
      long work = threads > 7 ? Math.min(elementsARow, 100) : elementsARow;
      try (ClosedExecutor executor = new ClosedExecutor()) {
        RowTasks.forEach(
            Parallel.over(executor.closed(), Math.min(threads, 100_000)),
            rows,
            work,
            grain,
            (begin, end) -> blocks.add(new Block(begin, end)));
      }
      assertCover(blocks, rows, grain);
    }
  }

  /** An executor without threads: the caller does all tasks. */
  private record ClosedExecutor(java.util.concurrent.ExecutorService closed)
      implements AutoCloseable {
    ClosedExecutor() {
      this(java.util.concurrent.Executors.newSingleThreadExecutor());
      closed.shutdown();
    }

    @Override
    public void close() {
      closed.close();
    }
  }

  /** A kernel that notes which rows and panels it is given. */
  private static final class Noting implements MatmulKernel, Backend {
    final List<int[]> blocks = Collections.synchronizedList(new ArrayList<>());

    @Override
    public int panelCols() {
      return 32;
    }

    @Override
    public int tileRows() {
      return 6;
    }

    @Override
    public void reserve(PackedMatrix out) {}

    @Override
    public void pack(Matrix b, int rowBegin, int rowEnd, PackedMatrix out) {
      throw new AssertionError("there is nothing to pack");
    }

    @Override
    public void multiply(Product p, int rowBegin, int rowEnd, int panelBegin, int panelEnd) {
      blocks.add(new int[] {rowBegin, rowEnd, panelBegin, panelEnd});
    }

    @Override
    public String name() {
      return "noting";
    }

    @Override
    public String description() {
      return "notes";
    }

    @Override
    public MatmulKernel matmul() {
      return this;
    }

    @Override
    public QuantizeKernel quantize() {
      return null;
    }

    @Override
    public ElementwiseKernel elementwise() {
      return null;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2147483647, 1",
    "2147483647, 33",
    "1900000000, 1",
    "1, 2147483647",
    "1, 1900000000",
    "65536, 65536",
    "100, 1900000000",
    "7, 500000"
  })
  void blocksCoverTheWholeProduct(int rows, int cols) {
    for (int threads : new int[] {1, 2, 5, 64}) {
      Noting noting = new Noting();
      MatmulDriver driver = new MatmulDriver(noting, Parallel.ofThreads(threads));
      PackedMatrix b = new PackedMatrix();
      driver.pack(ElementType.FLOAT32, Form.NT, FloatMatrix.allocate(cols, 0), b);
      driver.multiply(FloatMatrix.allocate(rows, 0), b, Epilogue.STORE, FloatMatrix.allocate(0, 0));

      long area = 0;
      List<Block> down = new ArrayList<>();
      for (int[] block : noting.blocks) {
        if (block[2] == 0) {
          down.add(new Block(block[0], block[1]));
        }
        area += (long) (block[1] - block[0]) * (block[3] - block[2]);
      }
      assertCover(down, rows, noting.tileRows());
      assertThat(area).isEqualTo((long) rows * b.panelCount());
    }
  }

  /** Sides of 2^31 - 1 without an element: nothing fails and nothing takes long. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector", "x86", "x86-avx2"})
  void productsWithoutElements(String backend) {
    for (int threads : new int[] {1, 2}) {
      Kernels kernels = Kernels.create(BackendChoice.named(backend), Parallel.ofThreads(threads));
      for (ElementType type : List.of(ElementType.FLOAT32, ElementType.BFLOAT16)) {
        for (Form form : Form.values()) {
          for (int[] mnk :
              new int[][] {{MOST, 0, 0}, {0, MOST, 0}, {0, 0, MOST}, {MOST, 0, 0}, {0, MOST, 0}}) {
            FloatMatrix a =
                form == Form.TN
                    ? FloatMatrix.allocate(mnk[2], mnk[0])
                    : FloatMatrix.allocate(mnk[0], mnk[2]);
            FloatMatrix b =
                form == Form.NT
                    ? FloatMatrix.allocate(mnk[1], mnk[2])
                    : FloatMatrix.allocate(mnk[2], mnk[1]);
            FloatMatrix c = FloatMatrix.allocate(mnk[0], mnk[1]);
            kernels.multiply(type, form, a, b, Epilogue.STORE, c);
            kernels.multiply(type, form, a, b, Epilogue.ACCUMULATE, c);
          }
        }
      }
      FloatMatrix x = FloatMatrix.allocate(MOST, 0);
      kernels.elementwise().gelu(x, x);
      kernels.elementwise().add(x, x, x);
      kernels.elementwise().softmaxBackward(x, x, 1, x);
      kernels.elementwise().dropout(x, 0.5f, 1, x);
      kernels.elementwise().addColumnSums(x, new float[0]);
      kernels.elementwise().addColumnDots(x, x, new float[0]);
      kernels.elementwise().scaleColumns(x, new float[0], x);
    }
  }
}
