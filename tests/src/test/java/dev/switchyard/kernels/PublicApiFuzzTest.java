package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.switchyard.kernels.parallel.Parallel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random calls of everything public, right and wrong, on every backend that runs here. A call that
 * breaks its contract must throw what it promises, in words, and write nothing; any other must give
 * what the reference backend gives and write nothing but its result. What a call has to do is
 * stated in {@link FuzzedProducts}, {@link FuzzedQuantizers}, {@link FuzzedElementwise}, {@link
 * FuzzedRows}, {@link FuzzedOutliers} and {@link FuzzedData}, apart from the checks of the library.
 *
 * <p>Two system properties, which Maven hands on: {@code -Dswitchyard.fuzz.calls} is the number of
 * calls on each backend, for a longer campaign than that of a build, and {@code
 * -Dswitchyard.fuzz.seed} the seed of the first call; each takes the next. A failure prints the
 * seed of its call: with that and one call it happens again.
 */
class PublicApiFuzzTest {
  private static final int CALLS = Integer.getInteger("switchyard.fuzz.calls", 2_000);
  private static final long SEED = Long.getLong("switchyard.fuzz.seed", 1);

  /** What is called, as often as it is listed. */
  private static final List<Consumer<FuzzDraw>> CALLED =
      List.of(
          FuzzedProducts::product,
          FuzzedProducts::product,
          FuzzedProducts::product,
          FuzzedProducts::product,
          FuzzedQuantizers::quantize,
          FuzzedQuantizers::quantize,
          FuzzedQuantizers::dequantize,
          FuzzedQuantizers::roundToFloat8,
          FuzzedQuantizers::quantizeAndPack,
          FuzzedQuantizers::pack,
          FuzzedElementwise::rowOperation,
          FuzzedElementwise::rowOperation,
          FuzzedElementwise::columnOperation,
          FuzzedElementwise::arrayOperation,
          FuzzedRows::operation,
          FuzzedOutliers::split,
          FuzzedOutliers::addProduct,
          FuzzedData::view,
          FuzzedData::part,
          FuzzedData::sequences,
          FuzzedData::uniformSequences,
          FuzzedData::quantizedShape,
          FuzzedData::reshapedPanels);

  static Stream<String> backends() {
    return Stream.concat(Setup.BACKENDS.stream(), EmittedPathsTest.paths().stream());
  }

  @ParameterizedTest
  @MethodSource("backends")
  void everyCallIsRightOrRefused(String backend) {
    Kernels reference = Setup.serial("reference");
    int refused = 0;
    ForkJoinPool closed = new ForkJoinPool(1);
    closed.shutdown();
    try (ForkJoinPool pool = new ForkJoinPool(1)) {
      List<Kernels> kernels = new ArrayList<>();
      for (Parallel parallel :
          List.of(Parallel.serial(), Parallel.over(pool, 2), Parallel.over(closed, 3))) {
        kernels.add(Setup.on(backend, parallel));
      }
      for (int i = 0; i < CALLS; i++) {
        long seed = SEED + i;
        FuzzCase tested = draw(seed);
        boolean interrupted = seed % 16 == 0;
        String wrong = run(tested, kernels.get((int) Math.floorMod(seed, 3L)), interrupted);
        if (wrong == null && !tested.isRefused()) {
          FuzzCase expected = draw(seed);
          wrong = expected.run(reference);
          wrong = wrong == null ? tested.difference(expected) : "on the reference: " + wrong;
        }
        if (wrong != null) {
          fail("%s, switchyard.fuzz.seed=%d: %s: %s", backend, seed, tested, wrong);
        }
        refused += tested.isRefused() ? 1 : 0;
      }
    }
    // Neither side is left out: about a quarter is refused.
    assertThat(refused).isBetween(CALLS / 10 - 1, CALLS / 2 + 1);
  }

  static FuzzCase draw(long seed) {
    FuzzCase drawn = new FuzzCase();
    FuzzDraw draw = new FuzzDraw(seed, drawn);
    CALLED.get(draw.below(CALLED.size())).accept(draw);
    return drawn;
  }

  /** Makes the call, now and then on an interrupted thread, which has to stay interrupted. */
  static String run(FuzzCase call, Kernels kernels, boolean interrupted) {
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    String wrong;
    try {
      wrong = call.run(kernels);
    } finally {
      if (Thread.interrupted() != interrupted && interrupted) {
        fail("%s lost the interruption of its thread", call);
      }
    }
    return wrong;
  }
}
