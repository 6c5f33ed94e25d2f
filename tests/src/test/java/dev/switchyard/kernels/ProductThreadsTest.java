package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.ProductCase.Kind;
import dev.switchyard.kernels.ProductCase.Shape;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The threads that compute a product do not change a bit of it, whoever owns them. */
class ProductThreadsTest {
  /** All with enough work for several tasks: square, long, tall, and cut across columns. */
  private static final List<Shape> SHAPES =
      List.of(
          new Shape(130, 129, 131),
          new Shape(25, 97, 1041),
          new Shape(1500, 65, 33),
          new Shape(5, 3000, 160));

  static Stream<Arguments> kinds() {
    return Setup.BACKENDS.stream()
        .flatMap(b -> Arrays.stream(Kind.values()).map(kind -> Arguments.of(b, kind)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("kinds")
  void sameBitsOnAnyThreads(String backend, Kind kind) {
    ForkJoinPool closed = new ForkJoinPool(2);
    closed.close();
    try (ForkJoinPool pool = new ForkJoinPool(2)) {
      List<Parallel> runners =
          List.of(
              Parallel.ofThreads(2),
              Parallel.ofThreads(3),
              Parallel.over(pool, 2),
              Parallel.over(pool, 7),
              Parallel.over(closed, 2));
      // The driver that cuts the work is the same for both: the slow one need not show it all
      // again.
      for (Shape shape : backend.equals("reference") ? SHAPES.subList(0, 1) : SHAPES) {
        for (Form form : Form.values()) {
          ProductCase product = ProductCase.random(kind, form, shape, 3);
          int[] expected = product.resultBits(Setup.serial(backend));
          for (int i = 0; i < runners.size(); i++) {
            assertThat(product.resultBits(Setup.on(backend, runners.get(i))))
                .as("%s on runner %d", product, i)
                .isEqualTo(expected);
          }
        }
      }
    }
  }

  /** int8 results are the same on every backend. */
  @ParameterizedTest
  @EnumSource(
      value = Kind.class,
      names = {"INT8", "INT8_SUMS"})
  void sameBitsOnAnyBackend(Kind kind) {
    for (Shape shape : SHAPES) {
      ProductCase product = ProductCase.random(kind, Form.NT, shape, 3);
      int[] expected = product.resultBits(Setup.serial("reference"));
      for (String backend : Setup.BACKENDS) {
        assertThat(product.resultBits(Setup.serial(backend)))
            .as("%s on %s", product, backend)
            .isEqualTo(expected);
      }
    }
  }

  /** Several products at a time, called from tasks of the very pool that computes them. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector", "x86"})
  void nestedInTasksOfTheSamePool(String backend) throws InterruptedException, ExecutionException {
    List<ProductCase> products = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (Form form : Form.values()) {
        int i = products.size();
        products.add(ProductCase.random(kind, form, SHAPES.get(i % SHAPES.size()), i));
      }
    }
    try (ForkJoinPool pool = new ForkJoinPool(2)) {
      Kernels kernels = Setup.on(backend, Parallel.over(pool, 2));
      List<Callable<int[]>> calls = new ArrayList<>();
      for (ProductCase product : products) {
        calls.add(() -> product.resultBits(kernels));
      }
      List<Future<int[]>> results = pool.invokeAll(calls);
      for (int i = 0; i < products.size(); i++) {
        assertThat(results.get(i).get())
            .as(products.get(i).toString())
            .isEqualTo(products.get(i).resultBits(Setup.serial(backend)));
      }
    }
  }
}
