package dev.switchyard.bench.kernels;

import dev.switchyard.bench.kernels.Contest.Contestant;
import dev.switchyard.bench.kernels.Contest.Turns;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.bench.peers.PeerProduct;
import dev.switchyard.bench.statistics.Interval;
import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PeakLoop;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * One product by several backends and peers, each with its weight packed. All are checked against
 * the first backend before they are timed.
 */
final class MatmulComparison {
  private final ElementType type;
  private final MatmulOperands operands;
  private final Parallel parallel;
  private final List<Contestant> contestants = new ArrayList<>();
  private final PeakLoop peak;

  MatmulComparison(
      ElementType type,
      MatmulOperands operands,
      int threads,
      List<BackendChoice> backends,
      List<Peer> peers) {
    this.type = type;
    this.operands = operands;
    this.parallel = Parallel.ofThreads(threads);
    this.peak = backends.stream().flatMap(b -> b.peak(type).stream()).findFirst().orElse(null);
    Matrix x = operands.left(type);
    Matrix xOfPeers = operands.leftOfPeer(type);
    float[] expected = null;
    float[] expectedOfPeers = null;
    for (BackendChoice backend : backends) {
      PackedProduct product = ours(backend, x);
      float[] result = product.run().data();
      if (expected == null) {
        expected = result.clone();
        expectedOfPeers = ours(backend, xOfPeers).run().data();
      }
      add(backend.name(), result, expected, product::run);
    }
    for (Peer peer : peers) {
      if (peer.types().contains(type)) {
        PeerProduct product = peer.product(type, xOfPeers, operands.right(type), operands.bias());
        product.run();
        add(peer.name(), product.result(), expectedOfPeers, product::run);
      }
    }
  }

  private PackedProduct ours(BackendChoice backend, Matrix x) {
    FloatMatrix y = FloatMatrix.allocate(operands.m(), operands.n());
    Kernels kernels = Kernels.create(backend, parallel);
    return new PackedProduct(kernels, type, x, operands.right(type), operands.bias(), y);
  }

  private void add(String name, float[] result, float[] expected, Runnable work) {
    double tolerance = Operands.tolerance(ElementType.FLOAT32, operands.k());
    Operands.checkEqual(name, result, expected, tolerance);
    contestants.add(new Contestant(name, work));
  }

  /**
   * Rates in Gop/s.
   *
   * @param peak that of the dot instruction on registers alone, on all threads together; empty if
   *     no backend knows its instruction
   * @param byName those of backends, which come first, and peers
   * @param overFirst how many times as fast as the first each is
   */
  record Rates(OptionalDouble peak, Map<String, Double> byName, List<Interval> overFirst) {}

  /** Measures all, the peak of the instruction in the same rounds. */
  Rates run(Contest contest) {
    List<Contestant> all = new ArrayList<>(contestants);
    if (peak != null) {
      all.add(
          new Contestant(
              "the instruction " + peak.instruction(),
              () -> parallel.forEach(parallel.threads(), _ -> peak.run().run())));
    }
    List<Turns> turns = contest.run(all);
    double operations = 2.0 * operands.m() * operands.n() * operands.k();
    Map<String, Double> gops = new LinkedHashMap<>();
    for (int i = 0; i < contestants.size(); i++) {
      gops.put(contestants.get(i).name(), operations / turns.get(i).median().nanos());
    }
    List<Interval> overFirst = Turns.overFirst(turns.subList(0, contestants.size()));
    if (peak == null) {
      return new Rates(OptionalDouble.empty(), gops, overFirst);
    }
    double peakOperations = (double) peak.operations() * parallel.threads();
    OptionalDouble peakRate = OptionalDouble.of(peakOperations / turns.getLast().median().nanos());
    return new Rates(peakRate, gops, overFirst);
  }
}
