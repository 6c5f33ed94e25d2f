package dev.switchyard.kernels;

import dev.switchyard.kernels.ProductCase.Kind;
import dev.switchyard.kernels.ProductCase.Shape;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A main class: products on several threads while others fill the heap, so that the collector moves
 * arrays between calls and waits for those within. Each result is compared. Prints how often the
 * collector ran.
 */
final class CollectorStress {
  static final String PASSED = "passed through collections: ";
  private static final int ROUNDS = 250;

  private CollectorStress() {}

  public static void main(String[] args) throws InterruptedException, ExecutionException {
    Kernels kernels = Kernels.create(Parallel.serial());
    List<ProductCase> products = new ArrayList<>();
    List<int[]> expected = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (Form form : Form.values()) {
        products.add(ProductCase.random(kind, form, new Shape(150, 130, 170), products.size()));
        expected.add(products.getLast().resultBits(kernels));
      }
    }
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
      List<Future<?>> workers = new ArrayList<>();
      for (int t = 0; t < 2; t++) {
        workers.add(threads.submit(() -> multiply(kernels, products, expected)));
        workers.add(threads.submit(() -> quantize(kernels)));
      }
      for (int t = 0; t < 2; t++) {
        threads.execute(() -> allocate(done));
      }
      try {
        for (Future<?> worker : workers) {
          worker.get();
        }
      } finally {
        done.set(true);
      }
    }
    long collections =
        ManagementFactory.getGarbageCollectorMXBeans().stream()
            .mapToLong(GarbageCollectorMXBean::getCollectionCount)
            .sum();
    System.out.println(PASSED + collections);
  }

  private static void multiply(Kernels kernels, List<ProductCase> products, List<int[]> expected) {
    for (int round = 0; round < ROUNDS; round++) {
      for (int i = 0; i < products.size(); i++) {
        if (!Arrays.equals(products.get(i).resultBits(kernels), expected.get(i))) {
          throw new AssertionError("round " + round + ": another result of " + products.get(i));
        }
      }
    }
  }

  private static void quantize(Kernels kernels) {
    FloatMatrix x = Matrices.gaussian(150, 130, 1);
    for (Scaling scaling : Scaling.values()) {
      QuantizedMatrix q = new QuantizedMatrix(scaling);
      kernels.quantize(x, q);
      int[] expected = Matrices.content(q);
      for (int round = 0; round < ROUNDS; round++) {
        QuantizedMatrix again = new QuantizedMatrix(scaling);
        kernels.quantize(x, again);
        if (!Arrays.equals(Matrices.content(again), expected)) {
          throw new AssertionError("round " + round + ": other values by " + scaling);
        }
      }
    }
  }

  /** Short-lived arrays of all sizes, some of which stay a while, so that survivors are moved. */
  private static void allocate(AtomicBoolean done) {
    byte[][] kept = new byte[64][];
    for (int i = 0; !done.get(); i++) {
      kept[i % kept.length] = new byte[1 << (8 + i % 11)];
    }
  }
}
