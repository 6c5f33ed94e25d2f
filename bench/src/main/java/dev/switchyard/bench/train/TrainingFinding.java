package dev.switchyard.bench.train;

import dev.switchyard.bench.statistics.Interval;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A training held against the first one, which it is compared with.
 *
 * @param name of its precision
 * @param speed how many times as fast it is
 * @param accuracy how much more of the test examples it has right, as a part of them
 */
public record TrainingFinding(String name, Interval speed, Interval accuracy) {
  /**
   * What to do, in a sentence.
   *
   * @param first the name of the first training
   * @param others those that did not diverge
   */
  public static String sentence(String first, List<TrainingFinding> others) {
    if (others.isEmpty()) {
      return String.format(
          Locale.ROOT, "Only %s has an outcome: train in another --precision to compare.", first);
    }
    List<TrainingFinding> faster =
        others.stream()
            .filter(other -> other.speed.lower() > 1)
            .sorted(Comparator.comparingDouble((TrainingFinding o) -> -o.speed.estimate()))
            .toList();
    Optional<TrainingFinding> best =
        faster.stream().filter(other -> other.accuracy.upper() >= 0).findFirst();
    if (best.isPresent()) {
      TrainingFinding take = best.get();
      return String.format(
          Locale.ROOT,
          "Train in %s: it is %s times as fast as %s, with %s points of test accuracy.",
          take.name,
          take.speed.cell("%.2f"),
          first,
          take.points());
    }
    if (!faster.isEmpty()) {
      TrainingFinding lossy = faster.getFirst();
      return String.format(
          Locale.ROOT,
          "Stay with %s, unless time counts more: %s is %s times as fast, with %s points of test"
              + " accuracy.",
          first,
          lossy.name,
          lossy.speed.cell("%.2f"),
          lossy.points());
    }
    TrainingFinding next = others.getFirst();
    return String.format(
        Locale.ROOT,
        "Stay with %s: that %s is faster cannot be told here, with %s times its speed.",
        first,
        next.name,
        next.speed.cell("%.2f"));
  }

  private String points() {
    return accuracy.map(part -> 100 * part).cell("%+.2f");
  }
}
